/**
 * The forms in which the official SDK of OpenTelemetry sends, each with what writes it.
 *
 * @module
 */
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'

/** All of them. */
export const otlpForms = [
  {
    type: 'application/json',
    traces: JsonTraceSerializer,
    logs: JsonLogsSerializer,
    metrics: JsonMetricsSerializer,
  },
  {
    type: 'application/x-protobuf',
    traces: ProtobufTraceSerializer,
    logs: ProtobufLogsSerializer,
    metrics: ProtobufMetricsSerializer,
  },
] as const
