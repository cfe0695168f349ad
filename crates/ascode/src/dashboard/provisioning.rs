//! Provisioning files for Grafana: where the boards lie and what they ask. They hold no secret and
//! no choice, so they are text and not built.

/// The uid of the Prometheus in [`DATASOURCES`].
pub const PROMETHEUS: &str = "redora-prometheus";

/// Paths below `provisioning`, and what stands there.
pub(crate) const fn files() -> &'static [(&'static str, &'static str)] {
    &[("dashboards/redora.yaml", DASHBOARDS), ("datasources/redora.yaml", DATASOURCES)]
}

const DASHBOARDS: &str = "\
# Grafana reads the boards from this folder. They are rendered: change redora, not the files.
apiVersion: 1
providers:
  - name: redora
    folder: redora
    type: file
    allowUiUpdates: false
    disableDeletion: false
    updateIntervalSeconds: 30
    options:
      path: /var/lib/grafana/dashboards/redora
";

const DATASOURCES: &str = "\
# The boards ask whichever Prometheus is picked on them; this one is picked at first.
apiVersion: 1
datasources:
  - name: Prometheus
    uid: redora-prometheus
    type: prometheus
    access: proxy
    url: http://prometheus:9090
    isDefault: true
    editable: false
    jsonData:
      httpMethod: POST
      # As often as redora is scraped: $__rate_interval is four times this.
      timeInterval: 15s
      # With a source of traces of this uid, a dot in a graph of durations leads to its trace:
      # exemplarTraceIdDestinations:
      #   - name: trace_id
      #     datasourceUid: redora-traces
  - name: Alertmanager
    uid: redora-alertmanager
    type: alertmanager
    access: proxy
    url: http://alertmanager:9093
    editable: false
    jsonData:
      implementation: prometheus
      handleGrafanaManagedAlerts: false
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prometheus_has_its_uid() {
        assert!(DATASOURCES.contains(&format!("- name: Prometheus\n    uid: {PROMETHEUS}\n")));
    }
}
