//! How long a limit is waited out: on a clock that is moved by hand while sockets stay real, for
//! the time that passes within a step is what these waits are counted from.

use std::time::Duration;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_limit_at_the_end_of_a_long_step_is_waited_out_from_its_answer() {
    let (asked, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let door = Loopback::start(move |_, target, _| {
        asked.send(()).unwrap();
        match target.contains("/statuses") {
            true => (429, "retry-after: 7\r\n".into(), "{}".into(), false),
            false => (200, String::new(), json!(objects("deployments")).to_string(), false),
        }
    });
    let door = door.await;
    let mut config = Config::new("token");
    (config.api, config.timeout) = (door.address.clone(), Duration::from_secs(3_600));
    let plan = world::plan(&[Stream::Deployments], SINCE_MS);
    let collector = Collector::new(Client::new(&config).unwrap(), plan).unwrap();
    // A stopped clock runs ahead of the sockets unless something blocks.
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let blocking = tokio::task::spawn_blocking(move || ended.recv());
    let a_long_page = async {
        heard.recv().await.unwrap();
        tokio::time::advance(Duration::from_secs(90)).await;
    };
    let (batch, ()) = tokio::join!(collector.step(Cursor::default(), NOW_MS, 0), a_long_page);
    let wait = Wait { until_ms: NOW_MS + 90_000 + 7_000, why: Trouble::SecondaryLimit };
    assert_eq!(batch.next, Next::Later(wait));
    drop(end);
    assert!(blocking.await.unwrap().is_err());
}
