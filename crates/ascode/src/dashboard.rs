//! Grafana dashboards as text, from a typed builder: boards that are clicked together drift apart
//! in units, colours and guards, and nobody reviews a diff of their JSON.

mod board;
mod boards;
mod field;
mod frame;
mod kind;
mod panel;
mod provisioning;
mod query;
mod source;
mod style;
mod table;
mod variable;

pub use provisioning::PROMETHEUS;

/// Every dashboard: its file's name, and Grafana's classic JSON.
#[must_use]
pub fn dashboards() -> Vec<(String, String)> {
    boards::all().iter().map(|board| (board.file(), board.text())).collect()
}

/// The id of the panel of this title on a board: of several the last, which is the graph below the
/// number. Grafana marks the states of an alert on it.
#[must_use]
pub fn panel_id(uid: &str, title: &str) -> Option<u64> {
    boards::all().iter().find(|board| board.uid == uid)?.panel_id(title)
}

/// What makes a Grafana find the boards and their data: paths below its folder `provisioning`, and
/// YAML.
#[must_use]
pub fn provisioning() -> Vec<(String, String)> {
    provisioning::files().iter().map(|(path, text)| ((*path).into(), (*text).into())).collect()
}
