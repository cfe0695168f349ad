// A dashboard as Grafana's own types have it, made strict: each panel with the options of its kind,
// each query with the words of Prometheus, and strings where JSON has no enums.

import type * as schema from '@grafana/schema';
import type * as barchart from '@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen';
import type * as gauge from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as timeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as words from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A type as JSON can hold it: a string enum is its words. */
type Plain<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends (infer Item)[]
      ? Plain<Item>[]
      : T extends object
        ? { [Key in keyof T]: Plain<T[Key]> }
        : T;

/** What Grafana fills in where a panel is silent may be missing. */
type Partly<T> = T extends object ? { [Key in keyof T]?: T[Key] } : T;

/** What the Prometheus plugin adds to a query; Grafana's package does not describe it. */
interface Query extends schema.DataQuery {
  datasource: schema.DataSourceRef;
  editorMode: 'builder' | 'code';
  exemplar?: boolean;
  expr: string;
  format: 'time_series' | 'table' | 'heatmap';
  instant: boolean;
  legendFormat: string;
  range: boolean;
}

type Fields<Custom> = Omit<schema.FieldConfigSource, 'defaults'> & {
  defaults: Omit<schema.FieldConfig, 'custom'> & { custom?: Custom };
};

type Panel<Kind extends string, Options, Custom = Record<string, never>> = Plain<
  Omit<schema.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
    type: Kind;
    options: Partly<Options>;
    fieldConfig: Fields<Partly<Custom>>;
  }
> & { targets: Query[] };

type Panels =
  | Panel<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Panel<'stat', stat.Options>
  | Panel<'gauge', gauge.Options>
  | Panel<'table', table.Options, table.FieldConfig>
  | Panel<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | Panel<'state-timeline', timeline.Options, timeline.FieldConfig>
  | Panel<'barchart', barchart.Options, barchart.FieldConfig>
  | Plain<Omit<schema.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
      type: 'text';
      options: words.Options;
    }>
  | Plain<schema.RowPanel>;

/** What the Prometheus plugin adds to an annotation; Grafana's package does not describe it. */
interface Marker {
  expr: string;
  step: string;
  tagKeys: string;
  textFormat: string;
  titleFormat: string;
  useValueForTime: boolean;
}

export type Board = Plain<Omit<schema.Dashboard, 'annotations' | 'panels'>> & {
  annotations: { list: (Plain<Omit<schema.AnnotationQuery, 'target'>> & Marker)[] };
  panels: Panels[];
};
