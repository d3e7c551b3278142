@_exported public import ArborBehaviours
@_exported public import ArborIntrospection
@_exported public import ArborProcesses
@_exported public import ArborTables
@_exported public import ArborTelemetry
@_exported public import ArborTracing
