// The types of a dashboard as Grafana publishes them, narrowed to panels with time series whose
// queries go to Prometheus.
import type {
  Dashboard, DataQuery, DataSourceRef, FieldConfig, GraphFieldConfig, Panel, VizLegendOptions,
  VizTooltipOptions,
} from '@grafana/schema';

interface Target extends DataQuery {
  datasource: DataSourceRef;
  editorMode: 'builder' | 'code';
  expr: string;
  legendFormat: string;
  range: boolean;
}

interface Fields {
  defaults: Omit<FieldConfig, 'custom'> & { custom: GraphFieldConfig };
  overrides: [];
}

interface TimeSeries extends Omit<Panel, 'fieldConfig' | 'options' | 'targets'> {
  type: 'timeseries';
  fieldConfig: Fields;
  options: { legend: VizLegendOptions; tooltip: VizTooltipOptions };
  targets: Target[];
}

// JSON has the values of enumerations instead of their names.
type InJSON<T> = T extends string ? `${T}`
  : T extends (infer E)[] ? InJSON<E>[]
  : T extends object ? { [K in keyof T]: InJSON<T[K]> }
  : T;

export type InFile = InJSON<Omit<Dashboard, 'panels'> & { panels: TimeSeries[] }>;
