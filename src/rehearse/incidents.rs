//! Which page told of which incident. A page belongs to an incident that was going on when it
//! fired, that began soon after, or that began while it still fired; nothing is read into words.

/// A disruption that people, or their tools, know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The name that its source has for it.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The service that was hit; any where the source does not say.
    pub service: Option<String>,
    /// Where; any where the source does not say.
    pub environment: Option<String>,
    /// When it began.
    pub started_ms: i64,
    /// When it was over for good.
    pub resolved_ms: Option<i64>,
}

/// A page that fired.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub(super) service: &'a str,
    pub(super) environment: &'a str,
    pub(super) fired_ms: i64,
    pub(super) ended_ms: Option<i64>,
}

impl Incident {
    /// Whether it is about what an objective is about.
    pub(super) fn concerns(&self, service: &str, environment: &str) -> bool {
        self.service.as_deref().is_none_or(|own| own == service)
            && self.environment.as_deref().is_none_or(|own| own == environment)
    }

    /// Whether a page told of it.
    pub(super) fn is_told_by(&self, page: Page<'_>, tolerance_ms: i64) -> bool {
        let is_over = self.resolved_ms.is_some_and(|resolved_ms| page.fired_ms > resolved_ms);
        let is_early = page.fired_ms < self.started_ms.saturating_sub(tolerance_ms)
            && page.ended_ms.is_some_and(|ended_ms| ended_ms <= self.started_ms);
        self.concerns(page.service, page.environment) && !is_over && !is_early
    }

    /// How long after its beginning a page fired; before it where that is less than the tolerance,
    /// and at once where a page fired since longer.
    pub(super) fn delay_ms(&self, fired_ms: i64, tolerance_ms: i64) -> i64 {
        let delay_ms = fired_ms.saturating_sub(self.started_ms);
        if delay_ms < -tolerance_ms { 0 } else { delay_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: i64 = 60_000;

    fn incident(started: i64, resolved: Option<i64>) -> Incident {
        Incident {
            id: "7".to_owned(),
            title: String::new(),
            service: Some("shop".to_owned()),
            environment: None,
            started_ms: started * MIN,
            resolved_ms: resolved.map(|resolved| resolved * MIN),
        }
    }

    #[track_caller]
    fn check(resolved: Option<i64>, fired: i64, ended: Option<i64>, delay: Option<i64>) {
        let incident = incident(100, resolved);
        let page = Page {
            service: "shop",
            environment: "production",
            fired_ms: fired * MIN,
            ended_ms: ended.map(|ended| ended * MIN),
        };
        let told = incident.is_told_by(page, 15 * MIN);
        assert_eq!(told.then(|| incident.delay_ms(page.fired_ms, 15 * MIN) / MIN), delay);
    }

    #[test]
    fn a_page_belongs_to_what_goes_on_or_is_about_to() {
        check(Some(130), 104, Some(120), Some(4));
        check(Some(130), 130, None, Some(30));
        check(Some(130), 131, None, None);
        check(None, 5_000, None, Some(4_900));
        check(Some(130), 85, Some(90), Some(-15));
        check(Some(130), 84, Some(99), None);
        check(Some(130), 84, Some(100), None);
        check(Some(130), 84, Some(101), Some(0));
        check(Some(130), 10, None, Some(0));
    }

    #[test]
    fn another_service_or_environment_is_another_story() {
        let mut incident = incident(100, None);
        assert!(
            incident.concerns("shop", "production") && !incident.concerns("bank", "production")
        );
        incident.environment = Some("staging".to_owned());
        assert!(!incident.concerns("shop", "production"));
        incident.service = None;
        assert!(incident.concerns("bank", "staging"));
    }
}
