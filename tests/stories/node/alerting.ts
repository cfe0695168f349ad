// A provisioning file of Grafana's alerting. Grafana publishes the types of its API; the file has the
// same things, some under other names, which stand here as its documentation gives them.

import type * as alerting from '@grafana/grafana-foundation-sdk/alerting';
import type * as expr from '@grafana/grafana-foundation-sdk/expr';
import type * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';

/** A type of the package as JSON can hold it: its methods are missing. */
type Plain<T> = { [Key in keyof T as Key extends `_${string}` ? never : Key]: T[Key] };

/** A step of a rule; each source with the models that it knows. */
interface Step<Source extends string, Model> {
  refId: string;
  relativeTimeRange: Required<alerting.RelativeTimeRange>;
  datasourceUid: Source;
  model: Model & { refId: string; datasource: { type: string; uid: Source } };
}

type Steps = [
  Step<'redora-prometheus', Plain<Omit<prometheus.Dataquery, 'editorMode'>> & { editorMode: 'code' }>,
  Step<'__expr__', Plain<expr.TypeMath>>,
  Step<'__expr__', Plain<expr.TypeThreshold>>,
];

/** What the file calls otherwise than the API, or does not have. */
type Renamed =
  | 'data'
  | 'folderUID'
  | 'keep_firing_for'
  | 'missingSeriesEvalsToResolve'
  | 'orgID'
  | 'ruleGroup';

type Rule = Omit<alerting.Rule, Renamed> & {
  uid: string;
  data: Steps;
  dashboardUid: string;
  panelId: number;
  keepFiringFor?: string;
  missing_series_evals_to_resolve: number;
  annotations: Record<string, string>;
  labels: Record<string, string>;
  isPaused: boolean;
};

interface Group {
  orgId: number;
  name: string;
  folder: string;
  interval: string;
  rules: Rule[];
}

interface Webhook {
  type: 'webhook';
  settings: { url: string; httpMethod: 'POST' | 'PUT' };
}

interface PagerDuty {
  type: 'pagerduty';
  settings: { integrationKey: string; severity: string; summary: string };
}

interface ContactPoint {
  orgId: number;
  name: string;
  receivers: (Pick<alerting.ContactPoint, 'disableResolveMessage'> & { uid: string } & (
      | Webhook
      | PagerDuty
    ))[];
}

type Matcher = [string, '=' | '!=' | '=~' | '!~', string];

/** Every route may have what Grafana's API knows, but for the words of older versions. */
type Route = Omit<
  alerting.NotificationPolicy,
  'match' | 'match_re' | 'matchers' | 'object_matchers' | 'provenance' | 'routes'
> & { receiver?: string; object_matchers?: Matcher[]; routes?: Route[] };

interface MuteTime {
  orgId: number;
  name: string;
  time_intervals: { times: { start_time: string; end_time: string }[] }[];
}

export interface File {
  apiVersion: 1;
  groups?: Group[];
  contactPoints?: ContactPoint[];
  muteTimes?: MuteTime[];
  policies?: (Route & { orgId: number; receiver: string })[];
}
