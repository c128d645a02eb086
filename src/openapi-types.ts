/**
 * Types of every request and response, generated from openapi/calls-usage.openapi.yaml and
 * openapi/service.openapi.yaml by "npm run types:update". Do not edit.
 */

export interface paths {
    readonly "/calls/usage": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Calls Usage
         * @description Compute aggregated usage for multiple root calls, with descendant rollup.
         */
        readonly post: operations["calls_usage_calls_usage_post"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/usage/explain": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Usage Explain
         * @description The bill of calls, descendants included: what `POST /calls/usage` answers to the same request, as lines of tokens, price and amount. Amounts are exact decimals as text; the lines of a model add up to its costs, and its costs, rounded to JSON numbers, are those of `/calls/usage`. Unknown fields are rejected.
         */
        readonly post: operations["usage_explain"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/calls/stats": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Calls Stats
         * @description What the calls of a project used, cost and did over time, in buckets of local time. Usage is that of each call without what it repeats of other calls, by the time at which the call started. Unknown fields are rejected.
         */
        readonly post: operations["calls_stats"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/projects": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Projects
         * @description The projects that the key may read, by name, with what they have and what the last 24 hours cost. Unknown parameters are rejected.
         */
        readonly get: operations["projects"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/usage/export": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Usage Export
         * @description What the calls of projects used and cost, by bucket of local time and model, as a file. Unknown parameters are rejected. A file that cannot be finished is cut off: its connection is closed before its end.
         */
        readonly get: operations["usage_export"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/calls/stream_query": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Calls Stream Query
         * @description The calls of a project as lines of JSON, in the shape of Weave's `CallSchema`; deleted calls are never among them. Unknown fields are ignored. An answer that cannot be finished is cut off: its connection is closed before its end.
         */
        readonly post: operations["calls_stream_query"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/calls/query_stats": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Calls Query Stats
         * @description How many calls `POST /calls/stream_query` would list. Unknown fields are ignored.
         */
        readonly post: operations["calls_query_stats"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/call/read": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Call Read
         * @description One call, as in a list, or null if the project does not have it. Unknown fields are ignored.
         */
        readonly post: operations["call_read"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/trace/usage": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Trace Usage
         * @description The usage of each call that matches a filter, descendants included, as it is in the usage of the top call of its trace: children and what their parent used itself add up to the parent. Unknown fields are rejected.
         */
        readonly post: operations["trace_usage"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/traces/query": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Traces Query
         * @description The traces of a project whose root started in a window, with what their calls used and cost, in the order of one of their numbers, and sums and percentiles over all that match. The root is the call that started first of those whose parent does not exist. Unknown fields are rejected.
         */
        readonly post: operations["traces_query"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/call/start": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Call Start
         * @description Stores the start of a call. Sending it again changes nothing.
         */
        readonly post: operations["call_start"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/call/end": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Call End
         * @description Stores the end of a call, which may arrive before its start.
         */
        readonly post: operations["call_end"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/call/upsert_batch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Call Start Batch
         * @description Stores starts and ends as one insert. An invalid item does not fail the others: it is dropped, answered with `{}`, and reported in `dropped` and `num_dropped`.
         */
        readonly post: operations["call_upsert_batch"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v2/{entity}/{project}/calls/complete": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The part of the project id before the slash. */
                readonly entity: components["parameters"]["Entity"];
                /** @description The part of the project id after the slash. */
                readonly project: components["parameters"]["Project"];
            };
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Calls Complete
         * @description Stores complete calls as one insert. An item that is invalid, or whose `project_id` is not the project of the path, does not fail the others: it is dropped and reported in `dropped` and `num_dropped`.
         */
        readonly post: operations["calls_complete"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v2/{entity}/{project}/call/start": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The part of the project id before the slash. */
                readonly entity: components["parameters"]["Entity"];
                /** @description The part of the project id after the slash. */
                readonly project: components["parameters"]["Project"];
            };
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Call Start V2
         * @description Stores the start of a call of the project in the path.
         */
        readonly post: operations["call_start_v2"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v2/{entity}/{project}/call/end": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The part of the project id before the slash. */
                readonly entity: components["parameters"]["Entity"];
                /** @description The part of the project id after the slash. */
                readonly project: components["parameters"]["Project"];
            };
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Call End V2
         * @description Stores the end of a call of the project in the path.
         */
        readonly post: operations["call_end_v2"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/otel/v1/traces": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Export Traces
         * @description Stores the spans of an `ExportTraceServiceRequest` of OTLP/HTTP as complete calls. The project is that of the resource attributes `wandb.entity` and `wandb.project`, else of the header `project_id` or `x-project-id`. Spans that cannot be stored do not fail the others: `partialSuccess` says how many there are, and why.
         */
        readonly post: operations["otel_export_traces"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/agents/otel/v1/traces": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Export Traces (newer Weave SDKs)
         * @description Stores the spans of an `ExportTraceServiceRequest` of OTLP/HTTP as complete calls. The project is that of the resource attributes `wandb.entity` and `wandb.project`, else of the header `project_id` or `x-project-id`. Spans that cannot be stored do not fail the others: `partialSuccess` says how many there are, and why.
         */
        readonly post: operations["agents_otel_export_traces"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/traces": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Export Traces (path of exporters)
         * @description Stores the spans of an `ExportTraceServiceRequest` of OTLP/HTTP as complete calls. The project is that of the resource attributes `wandb.entity` and `wandb.project`, else of the header `project_id` or `x-project-id`. Spans that cannot be stored do not fail the others: `partialSuccess` says how many there are, and why.
         */
        readonly post: operations["export_traces"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/calls/delete": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Calls Delete
         * @description Deletes calls and all descendants that they have at this time.
         */
        readonly post: operations["calls_delete"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/obj/create": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Obj Create
         * @description Returns the digest of an object; the object is not stored.
         */
        readonly post: operations["obj_create"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/file/create": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * File Create
         * @description Returns the digest of a file; the file is not stored.
         */
        readonly post: operations["file_create"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/files/create": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Files Create
         * @description The same as `/file/create`, for the Python SDK 0.52.
         */
        readonly post: operations["files_create"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/table/create": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Table Create
         * @description Returns the digests of a table and its rows; the table is not stored.
         */
        readonly post: operations["table_create"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/table/query": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Table Query
         * @description Returns the digests of the rows of a table, in order, without the rows. A digest that `/table/create` did not return has no rows.
         */
        readonly post: operations["table_query"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/feedback/create": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Feedback Create
         * @description Accepts feedback about a call, such as a score; it is not stored.
         */
        readonly post: operations["feedback_create"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/feedback/batch/create": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Feedback Batch Create
         * @description Accepts feedback about calls, such as scores; it is not stored.
         */
        readonly post: operations["feedback_batch_create"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/call/update": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Call Update
         * @description Accepts a new display name of a call; it is not stored.
         */
        readonly post: operations["call_update"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/graphql": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * GraphQL
         * @description The two queries of W&B's GraphQL API that `weave.init` of the Python SDK needs: `viewer { username defaultEntity { name } }` and `project(name, entityName) { name }`. Every project that the key may access exists. Errors of a query, also of one that is none of the two, are answered with 200, in `errors`.
         */
        readonly post: operations["graphql"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/cost/create": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Cost Create
         * @description Stores prices of a project, which take precedence over default prices.
         */
        readonly post: operations["cost_create"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/cost/preview": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Cost Preview
         * @description What the calls of a project that started in a window cost by model, and what they would cost with other prices. Nothing is stored. Amounts are exact decimals as text. Unknown fields are rejected.
         */
        readonly post: operations["cost_preview"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/cost/query": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Cost Query
         * @description Prices of a project, sorted by model and date unless `sort_by` says otherwise. Default prices are not included.
         */
        readonly post: operations["cost_query"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/cost/purge": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Cost Purge
         * @description Deletes prices of a project by id. The expression consists of `$eq`, `$in` and `$or` over `id`; other ones are refused with 400. Unknown ids are ignored; default prices and prices of other projects cannot be deleted.
         */
        readonly post: operations["cost_purge"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/cost/unpriced": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Cost Unpriced
         * @description The models of a project's calls that have no price, the most used ones first, and what prices do not contain. A model whose price applies only to some sizes, service tiers or hours has none for the others. The counts are of usage as stored: where an SDK rolls up usage, the tokens of a call are counted again in each of its ancestors.
         */
        readonly post: operations["cost_unpriced"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/cost/resolve": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Cost Resolve
         * @description Which price applies to calls of some models, and by which rule the model name was matched: exactly, or by a rule of the price book.
         */
        readonly post: operations["cost_resolve"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/server_info": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Server Info
         * @description Versions that SDKs request before they send anything.
         */
        readonly get: operations["server_info"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/livez": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Liveness
         * @description Answers while the process lives, without ClickHouse; needs no authentication.
         */
        readonly get: operations["livez"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/readyz": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Readiness
         * @description Whether the service should get traffic; needs no authentication.
         */
        readonly get: operations["readyz"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/health": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Health
         * @description Whether requests can be answered; needs no authentication.
         */
        readonly get: operations["health"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/metrics": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Metrics
         * @description All metrics of this process, for Prometheus. They have no labels from clients.
         */
        readonly get: operations["metrics"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/openapi.json": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * OpenAPI
         * @description This document, the contract of /calls/usage included.
         */
        readonly get: operations["openapi_json"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/docs": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Docs
         * @description This document as a page on which requests can be sent.
         */
        readonly get: operations["docs"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Page
         * @description The page that shows what a project spends, on which models and in which traces.
         */
        readonly get: operations["page"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * CallsUsageReq
         * @description Request to compute aggregated usage for multiple root calls.
         *
         *     This endpoint returns usage metrics for each requested root call, where each
         *     root's metrics include the sum of its own usage plus all descendants' usage.
         *
         *     Note: All matching calls are loaded into memory for aggregation. For very large
         *     result sets (>10k calls), consider batching root call IDs or using narrower
         *     filters at the application layer.
         */
        readonly CallsUsageReq: {
            /** Project Id */
            readonly project_id: string;
            /**
             * Call Ids
             * @description Root call IDs to aggregate. Each result key corresponds to one input call ID.
             */
            readonly call_ids: readonly string[];
            /**
             * Include Costs
             * @description If true, include cost calculations in the usage.
             * @default false
             */
            readonly include_costs: boolean;
            /**
             * Limit
             * @description Maximum number of calls to process across all traces. Acts as a safety limit to prevent unbounded memory usage.
             * @default 10000
             */
            readonly limit: number;
        };
        /**
         * CallsUsageRes
         * @description Response with aggregated usage metrics per root call.
         */
        readonly CallsUsageRes: {
            /** Call Usage */
            readonly call_usage?: {
                readonly [key: string]: {
                    readonly [key: string]: components["schemas"]["LLMAggregatedUsage"];
                };
            };
            /** Unfinished Call Ids */
            readonly unfinished_call_ids?: readonly string[];
        };
        /** HTTPValidationError */
        readonly HTTPValidationError: {
            /** Detail */
            readonly detail?: readonly components["schemas"]["ValidationError"][];
        };
        /**
         * LLMAggregatedUsage
         * @description Aggregated usage metrics for a specific LLM.
         */
        readonly LLMAggregatedUsage: {
            /**
             * Requests
             * @default 0
             */
            readonly requests: number;
            /**
             * Prompt Tokens
             * @default 0
             */
            readonly prompt_tokens: number;
            /**
             * Completion Tokens
             * @default 0
             */
            readonly completion_tokens: number;
            /**
             * Total Tokens
             * @default 0
             */
            readonly total_tokens: number;
            /** Prompt Tokens Total Cost */
            readonly prompt_tokens_total_cost?: number | null;
            /** Completion Tokens Total Cost */
            readonly completion_tokens_total_cost?: number | null;
        };
        /** ValidationError */
        readonly ValidationError: {
            /** Location */
            readonly loc: readonly (string | number)[];
            /** Message */
            readonly msg: string;
            /** Error Type */
            readonly type: string;
        };
        /**
         * ExportTraceServiceReq
         * @description As OTLP 1.x has it. Ids are hexadecimal, 64-bit integers text or numbers, enums integers.
         */
        readonly ExportTraceServiceReq: {
            readonly resourceSpans?: readonly components["schemas"]["OpenMap"][];
        };
        /** ExportTraceServiceRes */
        readonly ExportTraceServiceRes: {
            readonly partialSuccess?: {
                /** @description A 64-bit integer. */
                readonly rejectedSpans: string;
                readonly errorMessage: string;
            };
        };
        /**
         * OtlpStatus
         * @description A `google.rpc.Status`.
         */
        readonly OtlpStatus: {
            /** @description A `google.rpc.Code`. */
            readonly code: number;
            readonly message: string;
            readonly details: readonly Record<string, never>[];
        };
        /**
         * Project Id
         * Format: unicode
         * @description The entity and the project, `entity/project`.
         */
        readonly ProjectId: string;
        /** Format: unicode */
        readonly Id: string;
        readonly OptionalText: string | null;
        /**
         * Format: date-time
         * @description An ISO 8601 date and time with `Z` or an offset, in the years 1900 to 2299.
         * @example 2026-01-31T23:59:59.123456Z
         */
        readonly Time: string;
        readonly OpenMap: {
            readonly [key: string]: unknown;
        };
        /** CallStatsReq */
        readonly CallStatsReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            /** @description Only calls that started at this time or later. */
            readonly start: components["schemas"]["EffectiveDate"];
            /** @description Only calls that started before this time; now if absent. */
            readonly end?: components["schemas"]["EffectiveDate"] | null;
            /** @description Length of a bucket in seconds. By default 300 for a window of up to 2 hours, 3,600 up to 12 hours, 21,600 up to 3 days, 43,200 up to 14 days, else a day, or as many days as make 10,000 buckets at most. */
            readonly granularity?: number | null;
            readonly usage_metrics?: readonly components["schemas"]["UsageMetricSpec"][] | null;
            readonly call_metrics?: readonly components["schemas"]["CallMetricSpec"][] | null;
            readonly filter?: components["schemas"]["CallsFilter"] | null;
            /**
             * Format: time-zone
             * @description The IANA name of the time zone in which buckets begin: those of a day at midnight, those of hours at full hours.
             * @default UTC
             */
            readonly timezone: string;
            /** @description What usage and calls are grouped by beside the time; the model if absent, which calls are not grouped by. */
            readonly group_by?: readonly ("model" | "op_name" | "wb_user_id" | "thread_id")[] | null;
        };
        /**
         * ProjectsQuery
         * @description The parameters of a list of projects.
         */
        readonly ProjectsQuery: {
            /** @default 20 */
            readonly limit: number;
            /** Format: unicode */
            readonly cursor?: string;
            /** Format: unicode */
            readonly search?: string;
        };
        /** ProjectsRes */
        readonly ProjectsRes: {
            readonly projects: readonly components["schemas"]["ProjectSummary"][];
            /** @description For the projects that follow; null if there are none. */
            readonly next_cursor: string | null;
        };
        /**
         * ProjectSummary
         * @description Deleted calls do not count.
         */
        readonly ProjectSummary: {
            readonly project_id: string;
            readonly call_count: number;
            readonly trace_count: number;
            /** @description When the last call started; null without calls. */
            readonly last_call_at: string | null;
            /** @description In US dollars, of the calls that started in the last 24 hours; null where nothing that was used has a price, or STATS_MAX_CALLS keeps the sum from being known. */
            readonly cost_24h: number | null;
            /** @description Whether the cost is a part of what was spent, or not known. */
            readonly is_lower_bound: boolean;
        };
        /**
         * UsageExportQuery
         * @description The parameters of an export.
         */
        readonly UsageExportQuery: {
            readonly project: readonly components["schemas"]["ProjectId"][];
            readonly start: components["schemas"]["EffectiveDate"];
            readonly end?: components["schemas"]["EffectiveDate"];
            /**
             * @description Length of a bucket in seconds.
             * @default 86400
             */
            readonly bucket: number;
            /** @default [] */
            readonly group_by: readonly ("model" | "op_name" | "wb_user_id" | "thread_id")[];
            /**
             * Format: time-zone
             * @description The IANA name of the time zone in which buckets begin: those of a day at midnight, those of hours at full hours.
             * @default UTC
             */
            readonly timezone: string;
            /**
             * @description `focus` is CSV with the columns of FOCUS 1.2.
             * @default csv
             * @enum {unknown}
             */
            readonly format: "csv" | "jsonl" | "parquet" | "focus";
        };
        /** UsageMetricSpec */
        readonly UsageMetricSpec: {
            /** @enum {unknown} */
            readonly metric: "requests" | "input_tokens" | "output_tokens" | "total_tokens" | "cache_read_input_tokens" | "cache_creation_input_tokens" | "input_cost" | "output_cost" | "total_cost";
            /**
             * @default [
             *       "sum"
             *     ]
             */
            readonly aggregations: components["schemas"]["Aggregations"];
            /** @default [] */
            readonly percentiles: components["schemas"]["Percentiles"];
        };
        /** CallMetricSpec */
        readonly CallMetricSpec: {
            /** @enum {unknown} */
            readonly metric: "latency_ms" | "call_count" | "error_count";
            /**
             * @default [
             *       "sum"
             *     ]
             */
            readonly aggregations: components["schemas"]["Aggregations"];
            /** @default [] */
            readonly percentiles: components["schemas"]["Percentiles"];
        };
        /** @description `count` is the number of values, `count_true` and `count_false` those of values that are 1 and 0. Costs have `sum`, `avg` and `count` only. With an empty list and no percentiles, `sum`. */
        readonly Aggregations: readonly ("sum" | "avg" | "min" | "max" | "count" | "count_true" | "count_false")[];
        /** @description Exact, interpolated between the two nearest values. */
        readonly Percentiles: readonly number[];
        /**
         * CallsFilter
         * @description All conditions hold; of the values of a list, one. An empty list is no condition.
         */
        readonly CallsFilter: {
            /** @description Names of operations; a name that ends in `:*` means all versions. */
            readonly op_names?: components["schemas"]["FilterValues"];
            readonly parent_ids?: components["schemas"]["FilterValues"];
            readonly trace_ids?: components["schemas"]["FilterValues"];
            readonly call_ids?: components["schemas"]["FilterValues"];
            readonly thread_ids?: components["schemas"]["FilterValues"];
            readonly wb_user_ids?: components["schemas"]["FilterValues"];
            /** @description Only calls without a parent, which are those that the other conditions are about. The usage is that of all calls of their traces. */
            readonly trace_roots_only?: boolean | null;
            readonly turn_ids?: components["schemas"]["UnsupportedFilter"];
            readonly wb_run_ids?: components["schemas"]["UnsupportedFilter"];
            readonly input_refs?: components["schemas"]["UnsupportedFilter"];
            readonly output_refs?: components["schemas"]["UnsupportedFilter"];
        };
        /**
         * CallsListFilter
         * @description All conditions hold; of the values of a list, one. An empty list is no condition.
         */
        readonly CallsListFilter: {
            /** @description Names of operations; a name that ends in `:*` means all versions. */
            readonly op_names?: components["schemas"]["FilterValues"];
            readonly parent_ids?: components["schemas"]["FilterValues"];
            readonly trace_ids?: components["schemas"]["FilterValues"];
            readonly call_ids?: components["schemas"]["FilterValues"];
            readonly thread_ids?: components["schemas"]["FilterValues"];
            readonly turn_ids?: components["schemas"]["FilterValues"];
            readonly wb_user_ids?: components["schemas"]["FilterValues"];
            readonly wb_run_ids?: components["schemas"]["FilterValues"];
            /** @description Only calls without a parent. */
            readonly trace_roots_only?: boolean | null;
            readonly input_refs?: components["schemas"]["UnsupportedFilter"];
            readonly output_refs?: components["schemas"]["UnsupportedFilter"];
        };
        /** @description A condition on `started_at` and `ended_at`: `$lt`, `$lte`, `$gt`, `$gte` and `$eq` of a `$getField` and a `$literal`, and `$and`, `$or` and `$not` of these. A literal is a number of seconds since 1970, or text in ISO 8601; `$eq` of `ended_at` and null means running calls. */
        readonly CallsListQuery: {
            /**
             * @example {
             *       "$gt": [
             *         {
             *           "$getField": "started_at"
             *         },
             *         {
             *           "$literal": 1767225600
             *         }
             *       ]
             *     }
             */
            readonly $expr: {
                readonly [key: string]: unknown;
            };
        };
        /** CallsQueryReq */
        readonly CallsQueryReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly filter?: components["schemas"]["CallsListFilter"] | null;
            readonly query?: components["schemas"]["CallsListQuery"] | null;
            /** @description By `started_at` ascending if absent. Calls of one time have an order that does not change; by `ended_at`, running calls are the last ones. */
            readonly sort_by?: readonly components["schemas"]["CallsSort"][] | null;
            readonly limit?: number | null;
            readonly offset?: number | null;
            /** @description Fields of calls; all if absent or empty. Of `summary.usage`, all of `summary` is answered. `id`, `project_id`, `trace_id`, `op_name`, `started_at`, `attributes` and `inputs` are always there, the last two empty unless named. */
            readonly columns?: readonly string[] | null;
            readonly include_costs?: boolean | null;
            /** @description Adds `summary.weave.feedback`, which is empty, since feedback is not stored. */
            readonly include_feedback?: boolean | null;
            readonly include_storage_size?: components["schemas"]["NotSupported"] | null;
            readonly include_total_storage_size?: components["schemas"]["NotSupported"] | null;
            /** @description References are not expanded, so only an empty list is supported. */
            readonly expand_columns?: readonly unknown[] | null;
            /** @description Changes nothing, since references are not expanded. */
            readonly return_expanded_column_values?: boolean | null;
            /** @description Changes nothing, since names of users are not known. */
            readonly include_usernames?: boolean | null;
            /** @description Changes nothing, since a call is listed once. */
            readonly latest_only?: boolean | null;
        };
        /**
         * @description Only false is supported.
         * @enum {unknown}
         */
        readonly NotSupported: false;
        readonly CallsSort: {
            /** @enum {unknown} */
            readonly field: "started_at" | "ended_at";
            /** @enum {unknown} */
            readonly direction: "asc" | "desc";
        };
        /**
         * ListedCall
         * @description A call, merged from its parts. `inputs`, `output` and `exception` are there as long as payloads are stored, else they are `{}` and null. `summary` is what the client stored; its member `weave` has also `status`, `trace_name`, `latency_ms` and, if requested, `costs` and `feedback`.
         */
        readonly ListedCall: {
            readonly id: string;
            readonly project_id: string;
            readonly op_name: string;
            readonly display_name?: string | null;
            readonly trace_id: string;
            readonly parent_id?: string | null;
            readonly thread_id?: string | null;
            readonly turn_id?: string | null;
            readonly started_at: string;
            readonly ended_at?: string | null;
            readonly attributes: components["schemas"]["OpenMap"];
            readonly inputs: components["schemas"]["OpenMap"];
            readonly output?: unknown;
            readonly exception?: string | null;
            readonly summary?: components["schemas"]["OpenMap"];
            readonly wb_user_id?: string | null;
            readonly wb_run_id?: string | null;
            readonly wb_run_step?: number | null;
            readonly wb_run_step_end?: number | null;
            readonly deleted_at?: null;
        };
        /** CallsQueryStatsReq */
        readonly CallsQueryStatsReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly filter?: components["schemas"]["CallsListFilter"] | null;
            readonly query?: components["schemas"]["CallsListQuery"] | null;
            /** @description How many calls are counted at most. */
            readonly limit?: number | null;
            readonly include_total_storage_size?: components["schemas"]["NotSupported"] | null;
            /** @description References are not expanded, so only an empty list is supported. */
            readonly expand_columns?: readonly unknown[] | null;
        };
        /** CallReadReq */
        readonly CallReadReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly id: components["schemas"]["Id"];
            readonly include_costs?: boolean | null;
            readonly include_storage_size?: components["schemas"]["NotSupported"] | null;
            readonly include_total_storage_size?: components["schemas"]["NotSupported"] | null;
        };
        /** CallReadRes */
        readonly CallReadRes: {
            readonly call: components["schemas"]["ListedCall"] | null;
        };
        /** TraceUsageReq */
        readonly TraceUsageReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            /** @description Which calls are answered, usually those of a trace. It does not matter for their usage, which is always that of all descendants. */
            readonly filter?: components["schemas"]["CallsListFilter"] | null;
            readonly query?: components["schemas"]["CallsListQuery"] | null;
            /** @default false */
            readonly include_costs: boolean;
            /**
             * @description How many calls are answered at most. If more match, the request is refused.
             * @default 10000
             */
            readonly limit: number;
            /** @description Only a page of the calls of one level, by start. */
            readonly level?: components["schemas"]["TraceLevel"] | null;
        };
        /** TraceLevel */
        readonly TraceLevel: {
            /** @description The parent of the calls; null for the top calls of the traces that the filter names, which are those whose parent is not present. */
            readonly parent_id?: components["schemas"]["Id"] | null;
            /** @default 100 */
            readonly limit: number;
            /** @default 0 */
            readonly offset: number;
        };
        /** TraceUsageRes */
        readonly TraceUsageRes: {
            /** @description By call, usage by model as in `POST /calls/usage`; calls by start. */
            readonly call_usage: {
                readonly [key: string]: unknown;
            };
            /** @description Sorted ids of the calls without an end, among those that are answered and their descendants. */
            readonly unfinished_call_ids: readonly string[];
            /** @description By call, what it is in its tree. */
            readonly calls: {
                readonly [key: string]: components["schemas"]["TreeCall"];
            };
            /** @description How many calls match, those of other pages of the level included. */
            readonly total: number;
        };
        /** TreeCall */
        readonly TreeCall: {
            readonly parent_id: string | null;
            readonly op_name: string;
            readonly display_name: string | null;
            readonly started_at: string;
            readonly ended_at: string | null;
            readonly has_error: boolean;
            readonly children: number;
            readonly descendants: number;
            /** @description Whether `POST /calls/usage` answers other usage for the call alone: spans of OpenTelemetry repeat some of it elsewhere in the trace, where it counts here. */
            readonly counts_less: boolean;
        };
        /** CallsQueryStatsRes */
        readonly CallsQueryStatsRes: {
            readonly count: number;
            /** @description Whether the count reached the limit. */
            readonly has_more: boolean;
            readonly total_storage_size_bytes: null;
        };
        /** TracesQueryReq */
        readonly TracesQueryReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            /** @description Only traces whose root started at this time or later. */
            readonly start: components["schemas"]["EffectiveDate"];
            /** @description Only traces whose root started before this time; now if absent. */
            readonly end?: components["schemas"]["EffectiveDate"] | null;
            readonly filter?: components["schemas"]["TracesFilter"] | null;
            /**
             * @description Traces that do not have the number, such as the duration of one that runs, come last.
             * @default {
             *       "field": "started_at",
             *       "direction": "desc"
             *     }
             */
            readonly sort_by: {
                /** @enum {unknown} */
                readonly field: "started_at" | "cost" | "total_tokens" | "duration" | "call_count";
                /**
                 * @default desc
                 * @enum {unknown}
                 */
                readonly direction: "desc" | "asc";
            };
            /**
             * @description At most TRACES_MAX_LIMIT.
             * @default 50
             */
            readonly limit: number;
            /** @description `next_cursor` of the answer before, for the traces that follow. The request must be the same otherwise; only `limit`, `include_totals` and `include_costs` may differ. */
            readonly cursor?: string | null;
            /** @default true */
            readonly include_totals: boolean;
            /** @default true */
            readonly include_costs: boolean;
        };
        /**
         * TracesFilter
         * @description All conditions hold; of the values of a list, one. An empty list or text is no condition.
         */
        readonly TracesFilter: {
            /** @description Part of the root's operation name, of its display name or of the trace id; upper and lower case are the same. */
            readonly search?: string | null;
            /** @description Operations of the root; a name that ends in `:*` means all versions. */
            readonly op_names?: components["schemas"]["FilterValues"];
            /** @description Users of calls. */
            readonly wb_user_ids?: components["schemas"]["FilterValues"];
            /** @description Threads of calls. */
            readonly thread_ids?: components["schemas"]["FilterValues"];
            /** @description Models of which something was used. */
            readonly models?: components["schemas"]["FilterValues"];
            /** @description Whether some call has an exception. */
            readonly has_error?: boolean | null;
            /** @description Whether some call has no end. */
            readonly is_running?: boolean | null;
        };
        /** TracesQueryRes */
        readonly TracesQueryRes: {
            readonly traces: readonly components["schemas"]["TraceSummary"][];
            /** @description For the traces that follow; null if there are none. */
            readonly next_cursor: string | null;
            /** @description Over all traces that match; null without `include_totals`. */
            readonly totals: components["schemas"]["TraceTotals"] | null;
        };
        /**
         * TraceSummary
         * @description Tokens and costs are those of the whole trace, as `POST /calls/stats` counts them: of the spans of a response, one.
         */
        readonly TraceSummary: {
            readonly trace_id: string;
            readonly root: {
                /** @description Null, as the names are, in a trace of which all calls are in cycles. */
                readonly id: string | null;
                readonly op_name: string | null;
                readonly display_name: string | null;
                /** @description ISO 8601 in UTC with microseconds; without a root, when the first call started. */
                readonly started_at: string;
                /** @description Null while the root runs. */
                readonly ended_at: string | null;
            };
            /** @description From the start of the root to its end; null while it runs. */
            readonly duration_ms: number | null;
            readonly call_count: number;
            /** @description Calls with an exception. */
            readonly error_count: number;
            /** @description Calls without an end. */
            readonly unfinished_count: number;
            readonly wb_user_ids: readonly string[];
            readonly thread_ids: readonly string[];
            readonly models: readonly string[];
            readonly requests: number;
            readonly prompt_tokens: number;
            readonly completion_tokens: number;
            readonly total_tokens: number;
            /** @description USD; null if nothing that was used has a price, or without `include_costs`. */
            readonly cost: number | null;
            /** @description Whether something was used that is not in `cost`. */
            readonly is_lower_bound: boolean;
            /** @description The models of which something is not in `cost`. */
            readonly unpriced_models: readonly string[];
            /** @description Whether a rollup answers it; else it was read call by call. */
            readonly is_settled: boolean;
        };
        /** TraceTotals */
        readonly TraceTotals: {
            readonly traces: number;
            readonly calls: number;
            readonly errors: number;
            readonly unfinished: number;
            readonly total_tokens: number;
            readonly cost: number | null;
            readonly is_lower_bound: boolean;
            readonly unpriced_models: readonly string[];
            readonly cost_percentiles: components["schemas"]["TracePercentiles"];
            readonly duration_ms_percentiles: components["schemas"]["TracePercentiles"];
        };
        /**
         * TracePercentiles
         * @description Exact, interpolated between the two nearest values; null without values.
         */
        readonly TracePercentiles: {
            readonly p50: number | null;
            readonly p95: number | null;
            readonly p99: number | null;
        };
        readonly FilterValues: readonly string[] | null;
        /** @description A filter of Weave that is not supported; an empty list is none. */
        readonly UnsupportedFilter: readonly unknown[] | null;
        /** CallStatsRes */
        readonly CallStatsRes: {
            /** @description As requested. */
            readonly start: string;
            /** @description As requested, or the time of the request. */
            readonly end: string;
            /** @description Seconds; 0 without metrics. */
            readonly granularity: number;
            readonly timezone: string;
            /** @description One for each bucket and group, ordered by both: `timestamp`, the group by its names, for each metric and aggregation `AGGREGATION_METRIC`, for percentiles `pNUMBER_METRIC`, and `count`, the number of calls by model. Costs are null where nothing has a price. In a bucket without values sums, averages and counts are 0, others null. */
            readonly usage_buckets: readonly {
                readonly [key: string]: unknown;
            }[];
            /** @description The same for `call_metrics`; `count` is the number of calls. */
            readonly call_buckets: readonly {
                readonly [key: string]: unknown;
            }[];
            /** @description Where a cost is requested, the usage that no cost contains by model: of models without a price, and requests of which nobody knows what they used. */
            readonly unpriced: readonly {
                readonly model: string;
                readonly requests: number;
                readonly prompt_tokens: number;
                readonly completion_tokens: number;
                readonly total_tokens: number;
            }[];
            /** @description How many traces were read call by call. */
            readonly live_traces: number;
        };
        /** CostPreviewReq */
        readonly CostPreviewReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            /** @description Prices by model name, as in /cost/create. */
            readonly costs: {
                readonly [key: string]: components["schemas"]["CostCreateInput"];
            };
            /** @description Only calls that started at this time or later. */
            readonly start: components["schemas"]["EffectiveDate"];
            /** @description Only calls that started before this time; now if absent. */
            readonly end?: components["schemas"]["EffectiveDate"] | null;
        };
        /** CostPreviewRes */
        readonly CostPreviewRes: {
            /** @description As requested. */
            readonly start: string;
            /** @description As requested, or the time of the request. */
            readonly end: string;
            /** @description The models that were used in the window, in the order of their names. */
            readonly results: readonly {
                readonly llm_id: string;
                readonly requests: number;
                readonly total_tokens: number;
                readonly was: components["schemas"]["AmountOrNull"];
                readonly would_be: components["schemas"]["AmountOrNull"];
            }[];
            readonly total: {
                readonly was: components["schemas"]["AmountOrNull"];
                readonly would_be: components["schemas"]["AmountOrNull"];
            };
            /** @description How many traces were read call by call. */
            readonly live_traces: number;
        };
        /** @description Null if nothing has a price. */
        readonly AmountOrNull: components["schemas"]["Amount"] | null;
        /** UsageExplainRes */
        readonly UsageExplainRes: {
            /** @description A bill by requested call and model. Beside the models of `/calls/usage` it has those of which everything was subtracted as double counted. */
            readonly call_usage: {
                readonly [key: string]: {
                    readonly [key: string]: components["schemas"]["ModelBill"];
                };
            };
            readonly unfinished_call_ids: readonly string[];
        };
        /** ModelBill */
        readonly ModelBill: {
            /** @description The tokens of each class and price, prices by date, usage without a price last. The tokens of all lines are those of the prompt and the completion. */
            readonly lines: readonly components["schemas"]["BillLine"][];
            readonly requests: number;
            readonly prompt_tokens: number;
            readonly completion_tokens: number;
            /** @description May be more than prompt and completion, where a provider's total is; these tokens cost nothing. */
            readonly total_tokens: number;
            /** @description The sum of the lines of the prompt; null as in `/calls/usage`. */
            readonly prompt_tokens_total_cost: components["schemas"]["Amount"] | null;
            /** @description The sum of the lines `completion` and `audio_output`; null as in `/calls/usage`. */
            readonly completion_tokens_total_cost: components["schemas"]["Amount"] | null;
            /** @description The tokens of lines without a price; null without `include_costs`. */
            readonly unpriced_tokens: number | null;
            /** @description Requests of which nobody knows how many tokens they used; they cost nothing here. */
            readonly unknown_requests: number;
            /** @description What the calls stored beyond their own usage, because an SDK had added the usage of their children: subtracted before anything else was computed. Below 0 where the rest counts otherwise than the whole. */
            readonly double_counted: {
                readonly requests: number;
                readonly prompt_tokens: number;
                readonly completion_tokens: number;
                readonly total_tokens: number;
            };
            /** @description What the providers of these prices charge besides and no line has, in units of the price book, such as `web_searches_kcount`. */
            readonly not_contained: readonly string[];
        };
        /** BillLine */
        readonly BillLine: {
            /**
             * @description Classes are disjoint; the first five are those of the prompt.
             * @enum {unknown}
             */
            readonly class: "prompt" | "cache_read" | "cache_write" | "cache_write_1h" | "audio_input" | "completion" | "audio_output";
            readonly tokens: number;
            /** @description In US dollars per million tokens; null without a price. */
            readonly price_per_million: components["schemas"]["Amount"] | null;
            /** @description Tokens × price per million ÷ 1,000,000; null without a price. */
            readonly amount: components["schemas"]["Amount"] | null;
            /** @description The price that applies, as `/cost/resolve` returns it; null without `include_costs` too. */
            readonly price: null | {
                readonly id: string;
                /** @enum {unknown} */
                readonly pricing_level: "default" | "project";
                readonly provider_id: string;
                /** @description The model that has the price; another one than that of the call if `rule` is not `exact`. */
                readonly llm_id: string;
                /** @description How the name of the call's model led to that of the price. */
                readonly rule: string;
                readonly effective_date: string;
                readonly prompt_tokens_above: number;
                readonly service_tier: components["schemas"]["ServiceTier"];
                readonly minutes_of_week: components["schemas"]["MinutesOfWeek"];
            };
        };
        /**
         * Amount
         * @description An exact decimal in US dollars, without exponent.
         */
        readonly Amount: string;
        /**
         * StartedCallSchemaForInsert
         * @description The start of a call.
         */
        readonly StartedCallSchemaForInsert: {
            readonly project_id: components["schemas"]["ProjectId"];
            /** @description Generated if absent. */
            readonly id?: components["schemas"]["Id"] | null;
            /** @description Generated if absent. */
            readonly trace_id?: components["schemas"]["Id"] | null;
            /** @description The parent call, in the same project and trace; null for a root. */
            readonly parent_id?: components["schemas"]["OptionalText"];
            /** Format: unicode */
            readonly op_name: string;
            readonly display_name?: string | null;
            readonly started_at: components["schemas"]["Time"];
            readonly attributes: components["schemas"]["OpenMap"];
            readonly inputs: components["schemas"]["OpenMap"];
            readonly thread_id?: components["schemas"]["OptionalText"];
            readonly turn_id?: components["schemas"]["OptionalText"];
            readonly otel_dump?: components["schemas"]["OpenMap"] | null;
            readonly wb_user_id?: components["schemas"]["OptionalText"];
            readonly wb_run_id?: components["schemas"]["OptionalText"];
            readonly wb_run_step?: components["schemas"]["RunStep"];
        };
        /**
         * EndedCallSchemaForInsert
         * @description The end of a call.
         */
        readonly EndedCallSchemaForInsert: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly id: components["schemas"]["Id"];
            readonly ended_at: components["schemas"]["Time"];
            readonly summary: components["schemas"]["SummaryInsertMap"];
            readonly started_at?: components["schemas"]["Time"] | null;
            /** @description Optional; without it the call is found by its id. */
            readonly trace_id?: components["schemas"]["OptionalText"];
            readonly exception?: components["schemas"]["Exception"];
            /** @description Any JSON value. */
            readonly output?: unknown;
            readonly wb_run_step_end?: components["schemas"]["RunStep"];
        };
        /**
         * CompletedCallSchemaForInsert
         * @description A complete call.
         */
        readonly CompletedCallSchemaForInsert: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly id: components["schemas"]["Id"];
            readonly trace_id: components["schemas"]["Id"];
            /** @description The parent call, in the same project and trace; null for a root. */
            readonly parent_id?: components["schemas"]["OptionalText"];
            /** Format: unicode */
            readonly op_name: string;
            readonly display_name?: string | null;
            readonly started_at: components["schemas"]["Time"];
            readonly ended_at: components["schemas"]["Time"];
            readonly attributes: components["schemas"]["OpenMap"];
            readonly inputs: components["schemas"]["OpenMap"];
            readonly summary: components["schemas"]["SummaryInsertMap"];
            readonly thread_id?: components["schemas"]["OptionalText"];
            readonly turn_id?: components["schemas"]["OptionalText"];
            readonly exception?: components["schemas"]["Exception"];
            /** @description Any JSON value. */
            readonly output?: unknown;
            readonly otel_dump?: components["schemas"]["OpenMap"] | null;
            readonly wb_user_id?: components["schemas"]["OptionalText"];
            readonly wb_run_id?: components["schemas"]["OptionalText"];
            readonly wb_run_step?: components["schemas"]["RunStep"];
            readonly wb_run_step_end?: components["schemas"]["RunStep"];
        };
        readonly RunStep: number | null;
        readonly Exception: string | null;
        /**
         * SummaryInsertMap
         * @description Free-form JSON. Usage is read from `usage`, an object from model name to an object of token counts: `requests`, `prompt_tokens`, `input_tokens`, `completion_tokens`, `output_tokens`, `total_tokens`, `cache_read_input_tokens`, `cache_creation_input_tokens`. Prompt counts include cached tokens; missing, negative and unreadable counts are 0. Model names are well-formed Unicode of at most 4096 code points.
         */
        readonly SummaryInsertMap: {
            readonly [key: string]: unknown;
        };
        /** CallStartReq */
        readonly CallStartReq: {
            readonly start: components["schemas"]["StartedCallSchemaForInsert"];
        };
        /** CallStartRes */
        readonly CallStartRes: {
            readonly id: string;
            readonly trace_id: string;
        };
        /** CallEndReq */
        readonly CallEndReq: {
            readonly end: components["schemas"]["EndedCallSchemaForInsert"];
        };
        /** CallEndRes */
        readonly CallEndRes: Record<string, never>;
        /** CallBatchStartMode */
        readonly CallBatchStartMode: {
            /** @constant */
            readonly mode: "start";
            readonly req: components["schemas"]["CallStartReq"];
        };
        /** CallBatchEndMode */
        readonly CallBatchEndMode: {
            /** @constant */
            readonly mode: "end";
            readonly req: components["schemas"]["CallEndReq"];
        };
        /** CallCreateBatchReq */
        readonly CallCreateBatchReq: {
            readonly batch: readonly (components["schemas"]["CallBatchStartMode"] | components["schemas"]["CallBatchEndMode"])[];
        };
        /** CallCreateBatchRes */
        readonly CallCreateBatchRes: {
            /** @description One answer per item, in order: both ids for a start, `{}` for an end and for a dropped item. */
            readonly res: readonly (components["schemas"]["CallStartRes"] | components["schemas"]["CallEndRes"])[];
            readonly dropped?: components["schemas"]["DroppedItems"];
            readonly num_dropped?: components["schemas"]["DroppedCount"];
        };
        /** CallsUpsertCompleteReq */
        readonly CallsUpsertCompleteReq: {
            readonly batch: readonly components["schemas"]["CompletedCallSchemaForInsert"][];
        };
        /** CallsUpsertCompleteRes */
        readonly CallsUpsertCompleteRes: {
            readonly dropped?: components["schemas"]["DroppedItems"];
            readonly num_dropped?: components["schemas"]["DroppedCount"];
        };
        /** @description The first 1,000 invalid items with their validation issues. Absent when none was dropped. */
        readonly DroppedItems: readonly {
            /** @description Index in the batch, from 0. */
            readonly index: number;
            readonly detail: readonly components["schemas"]["ValidationError"][];
        }[];
        /** @description Number of dropped items. Absent when none was dropped. */
        readonly DroppedCount: number;
        /** CallsDeleteReq */
        readonly CallsDeleteReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly call_ids: readonly string[];
        };
        /** CallsDeleteRes */
        readonly CallsDeleteRes: {
            /** @description Number of existing calls that this request deleted, descendants included. */
            readonly num_deleted: number;
        };
        /** ObjCreateReq */
        readonly ObjCreateReq: {
            readonly obj: components["schemas"]["ObjSchemaForInsert"];
        };
        /** ObjSchemaForInsert */
        readonly ObjSchemaForInsert: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly object_id: components["schemas"]["Id"];
            /** @description Any JSON value. */
            readonly val: unknown;
        };
        /** ObjCreateRes */
        readonly ObjCreateRes: {
            readonly digest: components["schemas"]["Digest"];
            readonly object_id?: string;
        };
        /** FileCreateReq */
        readonly FileCreateReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly file: string;
        };
        /** FileCreateRes */
        readonly FileCreateRes: {
            readonly digest: components["schemas"]["Digest"];
        };
        /** TableCreateReq */
        readonly TableCreateReq: {
            readonly table: components["schemas"]["TableSchemaForInsert"];
        };
        /** TableSchemaForInsert */
        readonly TableSchemaForInsert: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly rows: readonly unknown[];
        };
        /** TableCreateRes */
        readonly TableCreateRes: {
            readonly digest: components["schemas"]["Digest"];
            readonly row_digests: readonly components["schemas"]["Digest"][];
        };
        /** TableQueryReq */
        readonly TableQueryReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly digest: components["schemas"]["Id"];
            /** @description Maximum number of rows to return; all if absent. */
            readonly limit?: components["schemas"]["RowCount"] | null;
            /** @description Number of rows to skip; none if absent. */
            readonly offset?: components["schemas"]["RowCount"] | null;
        };
        readonly RowCount: number;
        /** TableQueryRes */
        readonly TableQueryRes: {
            readonly rows: readonly {
                readonly digest: components["schemas"]["Digest"];
                /** @description Rows are not stored. */
                readonly val: null;
                /** @description Index in the table, from 0. */
                readonly original_index: number;
            }[];
        };
        /** FeedbackCreateReq */
        readonly FeedbackCreateReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            /** @description Returned as it is; made by the service if absent. */
            readonly id?: components["schemas"]["OptionalText"];
            /** Format: unicode */
            readonly weave_ref: string;
            /** Format: unicode */
            readonly feedback_type: string;
            readonly payload: components["schemas"]["OpenMap"];
        };
        /** FeedbackCreateRes */
        readonly FeedbackCreateRes: {
            readonly id: string;
            readonly created_at: components["schemas"]["Time"];
            readonly wb_user_id: string;
            readonly payload: components["schemas"]["OpenMap"];
        };
        /** FeedbackCreateBatchReq */
        readonly FeedbackCreateBatchReq: {
            readonly batch: readonly components["schemas"]["FeedbackCreateReq"][];
        };
        /** FeedbackCreateBatchRes */
        readonly FeedbackCreateBatchRes: {
            /** @description One entry for each entry of `batch`, in the same order. */
            readonly res: readonly components["schemas"]["FeedbackCreateRes"][];
        };
        /** GraphQlReq */
        readonly GraphQlReq: {
            /**
             * Format: unicode
             * @description At most 200 tokens, without introspection.
             */
            readonly query: string;
            readonly variables?: components["schemas"]["OpenMap"] | null;
            readonly operationName?: components["schemas"]["OptionalText"];
        };
        /** GraphQlRes */
        readonly GraphQlRes: {
            readonly data?: components["schemas"]["OpenMap"] | null;
            readonly errors?: readonly {
                readonly message: string;
            }[];
        };
        /** CallUpdateReq */
        readonly CallUpdateReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly call_id: components["schemas"]["Id"];
            readonly display_name?: string | null;
        };
        /** CallUpdateRes */
        readonly CallUpdateRes: Record<string, never>;
        /** @description SHA-256 as 43 letters and digits, base64 with X for "-" and Y for "_". */
        readonly Digest: string;
        /** CostCreateReq */
        readonly CostCreateReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            /** @description Price by name of the model, as calls report it. */
            readonly costs: {
                readonly [key: string]: components["schemas"]["CostCreateInput"];
            };
            /** @description Who sets the prices; SDKs send it, and it is not stored. */
            readonly wb_user_id?: components["schemas"]["OptionalText"];
        };
        /**
         * CostCreateInput
         * @description The price of a model, in US dollars per token.
         */
        readonly CostCreateInput: {
            /** @description USD per uncached prompt token. */
            readonly prompt_token_cost: components["schemas"]["TokenCost"];
            /** @description USD per completion token. */
            readonly completion_token_cost: components["schemas"]["TokenCost"];
            /** @description USD per prompt token read from a cache; the prompt price if absent. */
            readonly cache_read_input_token_cost?: components["schemas"]["TokenCost"] | null;
            /** @description USD per prompt token written to a cache; the prompt price if absent. */
            readonly cache_creation_input_token_cost?: components["schemas"]["TokenCost"] | null;
            /** @description USD per prompt token written to a cache for an hour; that of other cache writes if absent. */
            readonly cache_creation_1h_input_token_cost?: components["schemas"]["TokenCost"] | null;
            /** @description USD per uncached audio token of the prompt; the prompt price if absent. */
            readonly audio_input_token_cost?: components["schemas"]["TokenCost"] | null;
            /** @description USD per audio token of the completion; the completion price if absent. */
            readonly audio_output_token_cost?: components["schemas"]["TokenCost"] | null;
            /** @description The price applies to all tokens of requests with more prompt tokens than this, cached ones included; to all requests if absent or 0. */
            readonly prompt_tokens_above?: number | null;
            /** @description The price applies to requests of this service tier; `standard`, which is also what absent means, to all without a price of their own. */
            readonly service_tier?: components["schemas"]["ServiceTier"] | null;
            /** @description The price applies to calls that start in one of these; at any time if absent or empty. */
            readonly minutes_of_week?: components["schemas"]["MinutesOfWeek"] | null;
            readonly prompt_token_cost_unit?: components["schemas"]["CostUnit"];
            readonly completion_token_cost_unit?: components["schemas"]["CostUnit"];
            /** @description Time from which the price applies, inclusive; now if absent. */
            readonly effective_date?: components["schemas"]["EffectiveDate"] | null;
            /** @description The provider that charges the price; "default" if absent. It does not affect which price applies. */
            readonly provider_id?: components["schemas"]["OptionalText"];
        };
        readonly TokenCost: number;
        /**
         * Format: date-or-time
         * @description An ISO 8601 date, which is 00:00 UTC of that day, or date and time, which is UTC unless it has `Z` or an offset; in the years 1900 to 2299.
         * @example 2026-01-31T23:59:59.123456Z
         */
        readonly EffectiveDate: string;
        /** @enum {unknown} */
        readonly ServiceTier: "standard" | "batch" | "flex" | "priority";
        readonly MinutesOfWeek: readonly components["schemas"]["MinuteRange"][];
        /**
         * @description Minutes since Monday 00:00 UTC, from `start`, inclusive, to `end`, exclusive.
         * @example {
         *       "start": 60,
         *       "end": 240
         *     }
         */
        readonly MinuteRange: {
            readonly start: number;
            readonly end: number;
        };
        readonly CostUnit: "USD" | null;
        /** CostCreateRes */
        readonly CostCreateRes: {
            /** @description [cost id, model name] for each price, in the order given. */
            readonly ids: readonly (readonly string[])[];
        };
        /** CostQueryReq */
        readonly CostQueryReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            /** @description The fields to return; all if absent or empty. */
            readonly fields?: readonly components["schemas"]["CostOutputField"][] | null;
            readonly query?: components["schemas"]["CostExpressionQuery"] | null;
            readonly sort_by?: readonly components["schemas"]["CostSort"][] | null;
            readonly limit?: number | null;
            readonly offset?: number | null;
        };
        /** @enum {unknown} */
        readonly CostOutputField: "id" | "llm_id" | "provider_id" | "effective_date" | "prompt_token_cost" | "completion_token_cost" | "cache_read_input_token_cost" | "cache_creation_input_token_cost" | "cache_creation_1h_input_token_cost" | "audio_input_token_cost" | "audio_output_token_cost" | "prompt_token_cost_unit" | "completion_token_cost_unit" | "prompt_tokens_above" | "service_tier" | "minutes_of_week";
        /**
         * @description A field whose values are ordered.
         * @enum {unknown}
         */
        readonly CostField: "id" | "llm_id" | "provider_id" | "effective_date" | "prompt_token_cost" | "completion_token_cost" | "cache_read_input_token_cost" | "cache_creation_input_token_cost" | "cache_creation_1h_input_token_cost" | "audio_input_token_cost" | "audio_output_token_cost" | "prompt_token_cost_unit" | "completion_token_cost_unit" | "prompt_tokens_above" | "service_tier";
        readonly CostSort: {
            readonly field: components["schemas"]["CostField"];
            /** @enum {unknown} */
            readonly direction: "asc" | "desc";
        };
        /** @description The expression is at most 32 levels deep. It has at most 1,000 operators and operands in /cost/query, and 20,000 in /cost/purge. */
        readonly CostExpressionQuery: {
            readonly $expr: components["schemas"]["CostExpression"];
        };
        /**
         * @description One operator with its operands, the value of a field, or a literal. Values of different types are neither equal nor ordered. `$and`, `$or` and `$not` treat every operand other than `true` as false.
         * @example {
         *       "$eq": [
         *         {
         *           "$getField": "id"
         *         },
         *         {
         *           "$literal": "0b5c3d9e-7d1b-4f5e-9a43-6a2f6c1c7a10"
         *         }
         *       ]
         *     }
         */
        readonly CostExpression: {
            readonly $and?: readonly components["schemas"]["CostExpression"][];
            readonly $or?: readonly components["schemas"]["CostExpression"][];
            readonly $not?: readonly [
                components["schemas"]["CostExpression"]
            ];
            readonly $eq?: components["schemas"]["CostComparison"];
            readonly $gt?: components["schemas"]["CostComparison"];
            readonly $gte?: components["schemas"]["CostComparison"];
            readonly $in?: components["schemas"]["CostMembership"];
            readonly $getField?: components["schemas"]["CostField"];
            readonly $literal?: string | number | boolean | null;
        };
        /** @description The first operand compared with the second. A string that is compared with `effective_date` is a date, 00:00 UTC of that day, or an ISO 8601 time, which is UTC unless it has Z or an offset. */
        readonly CostComparison: readonly [
            components["schemas"]["CostExpression"],
            components["schemas"]["CostExpression"]
        ];
        /** @description An operand, and a list of operands of which one has to equal it. Dates are as in CostComparison. */
        readonly CostMembership: readonly [
            components["schemas"]["CostExpression"],
            readonly components["schemas"]["CostExpression"][]
        ];
        readonly CostEffectiveDate: {
            /** @constant */
            readonly $getField: "effective_date";
        };
        readonly CostDateOperand: {
            /** Format: date-or-time */
            readonly $literal?: string | number | boolean | null;
        };
        /** CostPurgeReq */
        readonly CostPurgeReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly query: components["schemas"]["CostExpressionQuery"];
        };
        /** CostQueryRes */
        readonly CostQueryRes: {
            readonly results: readonly components["schemas"]["CostQueryOutput"][];
        };
        /**
         * CostQueryOutput
         * @description A price in US dollars per token, with the requested fields.
         */
        readonly CostQueryOutput: {
            readonly id?: string;
            readonly llm_id?: string;
            readonly provider_id?: string;
            /** @description ISO 8601 with microseconds, UTC. */
            readonly effective_date?: string;
            readonly prompt_token_cost?: number;
            readonly completion_token_cost?: number;
            readonly cache_read_input_token_cost?: number | null;
            readonly cache_creation_input_token_cost?: number | null;
            readonly cache_creation_1h_input_token_cost?: number | null;
            readonly audio_input_token_cost?: number | null;
            readonly audio_output_token_cost?: number | null;
            readonly prompt_token_cost_unit?: string;
            readonly completion_token_cost_unit?: string;
            readonly prompt_tokens_above?: number;
            readonly service_tier?: components["schemas"]["ServiceTier"];
            readonly minutes_of_week?: components["schemas"]["MinutesOfWeek"];
        };
        /** CostUnpricedReq */
        readonly CostUnpricedReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            /** @description Only calls that started at this time or later. */
            readonly after?: components["schemas"]["Time"] | null;
            /** @description Only calls that started before this time. */
            readonly before?: components["schemas"]["Time"] | null;
            /** @default 100 */
            readonly limit: number;
        };
        /** CostUnpricedRes */
        readonly CostUnpricedRes: {
            /** @description Models with a default price whose provider charges something besides that no cost contains, the most used ones first. */
            readonly not_contained: readonly {
                readonly llm_id: string;
                readonly calls: number;
                /** @description Units of the price book, such as `web_searches_kcount`: thousands of web searches. */
                readonly units: readonly string[];
            }[];
            readonly results: readonly {
                readonly llm_id: string;
                readonly calls: number;
                readonly requests: number;
                readonly prompt_tokens: number;
                readonly completion_tokens: number;
                readonly total_tokens: number;
            }[];
        };
        /** CostResolveReq */
        readonly CostResolveReq: {
            readonly project_id: components["schemas"]["ProjectId"];
            readonly models: readonly string[];
            /** @description Start time of the call; now if absent. */
            readonly at?: components["schemas"]["Time"] | null;
            /** @default 0 */
            readonly prompt_tokens: number;
            /** @description Of the request; standard if absent. */
            readonly service_tier?: components["schemas"]["ServiceTier"] | null;
        };
        /** CostResolveRes */
        readonly CostResolveRes: {
            readonly results: readonly {
                readonly llm_id: string;
                readonly price: null | {
                    readonly id: string;
                    /** @enum {unknown} */
                    readonly pricing_level: "default" | "project";
                    readonly provider_id: string;
                    readonly rule: string;
                    readonly alias_of: string | null;
                    readonly effective_date: string;
                    readonly prompt_tokens_above: number;
                    readonly service_tier: components["schemas"]["ServiceTier"];
                    readonly minutes_of_week: components["schemas"]["MinutesOfWeek"];
                    readonly prompt_token_cost: number;
                    readonly completion_token_cost: number;
                    readonly cache_read_input_token_cost: number | null;
                    readonly cache_creation_input_token_cost: number | null;
                    readonly cache_creation_1h_input_token_cost: number | null;
                    readonly audio_input_token_cost: number | null;
                    readonly audio_output_token_cost: number | null;
                    /** @description What the provider charges besides, in units of the price book, such as `web_searches_kcount`; empty for prices of a project. */
                    readonly not_contained: readonly string[];
                };
            }[];
        };
        /** ServerInfoRes */
        readonly ServerInfoRes: {
            readonly min_required_weave_python_version: string;
            readonly trace_server_version: string;
        };
        /** HealthRes */
        readonly HealthRes: {
            /** @constant */
            readonly status: "ok";
        };
        /** NotReadyRes */
        readonly NotReadyRes: {
            /**
             * @description Stable code of the reason.
             * @enum {string}
             */
            readonly status: "stopping" | "draining" | "damaged" | "rebuilding" | "starting" | "clickhouse_unavailable";
            /** @description The reason in a sentence. */
            readonly detail: string;
        };
        /** ErrorRes */
        readonly ErrorRes: {
            readonly detail: string;
        };
    };
    responses: {
        /** @description The body is not JSON or violates the schema; all validation issues. */
        readonly Invalid: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["HTTPValidationError"];
            };
        };
        /** @description The API key is missing or wrong. */
        readonly NotAuthenticated: {
            headers: {
                readonly "www-authenticate"?: "Basic realm=\"calls-usage\"";
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["ErrorRes"];
            };
        };
        /** @description The key does not have the scope or does not cover the project, or the request is by a page of another origin. */
        readonly Forbidden: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["ErrorRes"];
            };
        };
        /** @description The body is larger than its limit. */
        readonly TooLarge: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["ErrorRes"];
            };
        };
        /** @description The body's content encoding or charset is not supported, or its content type is missing. */
        readonly UnsupportedMedia: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["ErrorRes"];
            };
        };
        /** @description The key sent too many requests, or the remote address too many wrong keys. */
        readonly TooManyRequests: {
            headers: {
                /** @description In how many seconds to try again. */
                readonly "retry-after"?: number;
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["ErrorRes"];
            };
        };
        /** @description ClickHouse is unavailable or overloaded, there is no room for the request, or the service is not ready or stopping. */
        readonly Unavailable: {
            headers: {
                /** @description In how many seconds to try again. */
                readonly "retry-after"?: number;
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["ErrorRes"];
            };
        };
        /** @description The query exceeded its time limit. */
        readonly TimedOut: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["ErrorRes"];
            };
        };
        /** @description Send the same again. */
        readonly OtlpRetry: {
            headers: {
                /** @description In how many seconds to try again. */
                readonly "retry-after"?: number;
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/x-protobuf": string;
                readonly "application/json": components["schemas"]["OtlpStatus"];
            };
        };
        /** @description Other errors, such as 400 malformed body, 401 wrong key, 403 forbidden project, 413 too large, 415 other content type. Exporters do not send the same again. */
        readonly OtlpRefused: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/x-protobuf": string;
                readonly "application/json": components["schemas"]["OtlpStatus"];
            };
        };
        /** @description Other errors, such as 400 bad request, 404 unknown path, 405 unknown method, 500 internal error. */
        readonly Refused: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["ErrorRes"];
            };
        };
    };
    parameters: {
        /** @description The part of the project id before the slash. */
        readonly Entity: string;
        /** @description The part of the project id after the slash. */
        readonly Project: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type CallsUsageReq = components['schemas']['CallsUsageReq'];
export type CallsUsageRes = components['schemas']['CallsUsageRes'];
export type HttpValidationError = components['schemas']['HTTPValidationError'];
export type LlmAggregatedUsage = components['schemas']['LLMAggregatedUsage'];
export type ValidationError = components['schemas']['ValidationError'];
export type ExportTraceServiceReq = components['schemas']['ExportTraceServiceReq'];
export type ExportTraceServiceRes = components['schemas']['ExportTraceServiceRes'];
export type OtlpStatus = components['schemas']['OtlpStatus'];
export type ProjectId = components['schemas']['ProjectId'];
export type Id = components['schemas']['Id'];
export type OptionalText = components['schemas']['OptionalText'];
export type Time = components['schemas']['Time'];
export type OpenMap = components['schemas']['OpenMap'];
export type CallStatsReq = components['schemas']['CallStatsReq'];
export type ProjectsQuery = components['schemas']['ProjectsQuery'];
export type ProjectsRes = components['schemas']['ProjectsRes'];
export type ProjectSummary = components['schemas']['ProjectSummary'];
export type UsageExportQuery = components['schemas']['UsageExportQuery'];
export type UsageMetricSpec = components['schemas']['UsageMetricSpec'];
export type CallMetricSpec = components['schemas']['CallMetricSpec'];
export type Aggregations = components['schemas']['Aggregations'];
export type Percentiles = components['schemas']['Percentiles'];
export type CallsFilter = components['schemas']['CallsFilter'];
export type CallsListFilter = components['schemas']['CallsListFilter'];
export type CallsListQuery = components['schemas']['CallsListQuery'];
export type CallsQueryReq = components['schemas']['CallsQueryReq'];
export type NotSupported = components['schemas']['NotSupported'];
export type CallsSort = components['schemas']['CallsSort'];
export type ListedCall = components['schemas']['ListedCall'];
export type CallsQueryStatsReq = components['schemas']['CallsQueryStatsReq'];
export type CallReadReq = components['schemas']['CallReadReq'];
export type CallReadRes = components['schemas']['CallReadRes'];
export type TraceUsageReq = components['schemas']['TraceUsageReq'];
export type TraceLevel = components['schemas']['TraceLevel'];
export type TraceUsageRes = components['schemas']['TraceUsageRes'];
export type TreeCall = components['schemas']['TreeCall'];
export type CallsQueryStatsRes = components['schemas']['CallsQueryStatsRes'];
export type TracesQueryReq = components['schemas']['TracesQueryReq'];
export type TracesFilter = components['schemas']['TracesFilter'];
export type TracesQueryRes = components['schemas']['TracesQueryRes'];
export type TraceSummary = components['schemas']['TraceSummary'];
export type TraceTotals = components['schemas']['TraceTotals'];
export type TracePercentiles = components['schemas']['TracePercentiles'];
export type FilterValues = components['schemas']['FilterValues'];
export type UnsupportedFilter = components['schemas']['UnsupportedFilter'];
export type CallStatsRes = components['schemas']['CallStatsRes'];
export type CostPreviewReq = components['schemas']['CostPreviewReq'];
export type CostPreviewRes = components['schemas']['CostPreviewRes'];
export type AmountOrNull = components['schemas']['AmountOrNull'];
export type UsageExplainRes = components['schemas']['UsageExplainRes'];
export type ModelBill = components['schemas']['ModelBill'];
export type BillLine = components['schemas']['BillLine'];
export type Amount = components['schemas']['Amount'];
export type StartedCallSchemaForInsert = components['schemas']['StartedCallSchemaForInsert'];
export type EndedCallSchemaForInsert = components['schemas']['EndedCallSchemaForInsert'];
export type CompletedCallSchemaForInsert = components['schemas']['CompletedCallSchemaForInsert'];
export type RunStep = components['schemas']['RunStep'];
export type Exception = components['schemas']['Exception'];
export type SummaryInsertMap = components['schemas']['SummaryInsertMap'];
export type CallStartReq = components['schemas']['CallStartReq'];
export type CallStartRes = components['schemas']['CallStartRes'];
export type CallEndReq = components['schemas']['CallEndReq'];
export type CallEndRes = components['schemas']['CallEndRes'];
export type CallBatchStartMode = components['schemas']['CallBatchStartMode'];
export type CallBatchEndMode = components['schemas']['CallBatchEndMode'];
export type CallCreateBatchReq = components['schemas']['CallCreateBatchReq'];
export type CallCreateBatchRes = components['schemas']['CallCreateBatchRes'];
export type CallsUpsertCompleteReq = components['schemas']['CallsUpsertCompleteReq'];
export type CallsUpsertCompleteRes = components['schemas']['CallsUpsertCompleteRes'];
export type DroppedItems = components['schemas']['DroppedItems'];
export type DroppedCount = components['schemas']['DroppedCount'];
export type CallsDeleteReq = components['schemas']['CallsDeleteReq'];
export type CallsDeleteRes = components['schemas']['CallsDeleteRes'];
export type ObjCreateReq = components['schemas']['ObjCreateReq'];
export type ObjSchemaForInsert = components['schemas']['ObjSchemaForInsert'];
export type ObjCreateRes = components['schemas']['ObjCreateRes'];
export type FileCreateReq = components['schemas']['FileCreateReq'];
export type FileCreateRes = components['schemas']['FileCreateRes'];
export type TableCreateReq = components['schemas']['TableCreateReq'];
export type TableSchemaForInsert = components['schemas']['TableSchemaForInsert'];
export type TableCreateRes = components['schemas']['TableCreateRes'];
export type TableQueryReq = components['schemas']['TableQueryReq'];
export type RowCount = components['schemas']['RowCount'];
export type TableQueryRes = components['schemas']['TableQueryRes'];
export type FeedbackCreateReq = components['schemas']['FeedbackCreateReq'];
export type FeedbackCreateRes = components['schemas']['FeedbackCreateRes'];
export type FeedbackCreateBatchReq = components['schemas']['FeedbackCreateBatchReq'];
export type FeedbackCreateBatchRes = components['schemas']['FeedbackCreateBatchRes'];
export type GraphQlReq = components['schemas']['GraphQlReq'];
export type GraphQlRes = components['schemas']['GraphQlRes'];
export type CallUpdateReq = components['schemas']['CallUpdateReq'];
export type CallUpdateRes = components['schemas']['CallUpdateRes'];
export type Digest = components['schemas']['Digest'];
export type CostCreateReq = components['schemas']['CostCreateReq'];
export type CostCreateInput = components['schemas']['CostCreateInput'];
export type TokenCost = components['schemas']['TokenCost'];
export type EffectiveDate = components['schemas']['EffectiveDate'];
export type ServiceTier = components['schemas']['ServiceTier'];
export type MinutesOfWeek = components['schemas']['MinutesOfWeek'];
export type MinuteRange = components['schemas']['MinuteRange'];
export type CostUnit = components['schemas']['CostUnit'];
export type CostCreateRes = components['schemas']['CostCreateRes'];
export type CostQueryReq = components['schemas']['CostQueryReq'];
export type CostOutputField = components['schemas']['CostOutputField'];
export type CostField = components['schemas']['CostField'];
export type CostSort = components['schemas']['CostSort'];
export type CostExpressionQuery = components['schemas']['CostExpressionQuery'];
export type CostExpression = components['schemas']['CostExpression'];
export type CostComparison = components['schemas']['CostComparison'];
export type CostMembership = components['schemas']['CostMembership'];
export type CostEffectiveDate = components['schemas']['CostEffectiveDate'];
export type CostDateOperand = components['schemas']['CostDateOperand'];
export type CostPurgeReq = components['schemas']['CostPurgeReq'];
export type CostQueryRes = components['schemas']['CostQueryRes'];
export type CostQueryOutput = components['schemas']['CostQueryOutput'];
export type CostUnpricedReq = components['schemas']['CostUnpricedReq'];
export type CostUnpricedRes = components['schemas']['CostUnpricedRes'];
export type CostResolveReq = components['schemas']['CostResolveReq'];
export type CostResolveRes = components['schemas']['CostResolveRes'];
export type ServerInfoRes = components['schemas']['ServerInfoRes'];
export type HealthRes = components['schemas']['HealthRes'];
export type NotReadyRes = components['schemas']['NotReadyRes'];
export type ErrorRes = components['schemas']['ErrorRes'];
export type ResponseInvalid = components['responses']['Invalid'];
export type ResponseNotAuthenticated = components['responses']['NotAuthenticated'];
export type ResponseForbidden = components['responses']['Forbidden'];
export type ResponseTooLarge = components['responses']['TooLarge'];
export type ResponseUnsupportedMedia = components['responses']['UnsupportedMedia'];
export type ResponseTooManyRequests = components['responses']['TooManyRequests'];
export type ResponseUnavailable = components['responses']['Unavailable'];
export type ResponseTimedOut = components['responses']['TimedOut'];
export type ResponseOtlpRetry = components['responses']['OtlpRetry'];
export type ResponseOtlpRefused = components['responses']['OtlpRefused'];
export type ResponseRefused = components['responses']['Refused'];
export type ParameterEntity = components['parameters']['Entity'];
export type ParameterProject = components['parameters']['Project'];
export type $defs = Record<string, never>;
export interface operations {
    readonly calls_usage_calls_usage_post: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallsUsageReq"];
            };
        };
        readonly responses: {
            /** @description Successful Response */
            readonly 200: {
                headers: {
                    /** @description How many distinct ids of `call_ids` have no start in the project; absent when none. Deleted calls are known. */
                    readonly "x-unknown-calls"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallsUsageRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            /** @description Validation Error */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly usage_explain: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "project_id": "team/project",
                 *       "call_ids": [
                 *         "call-1"
                 *       ],
                 *       "include_costs": true
                 *     }
                 */
                readonly "application/json": components["schemas"]["CallsUsageReq"];
            };
        };
        readonly responses: {
            /** @description The bill of each requested call. */
            readonly 200: {
                headers: {
                    /** @description How many distinct ids of `call_ids` have no start in the project; absent when none. Deleted calls are known. */
                    readonly "x-unknown-calls"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["UsageExplainRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly calls_stats: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "project_id": "team/project",
                 *       "start": "2026-01-01T00:00:00Z",
                 *       "end": "2026-02-01T00:00:00Z",
                 *       "timezone": "Europe/Berlin",
                 *       "usage_metrics": [
                 *         {
                 *           "metric": "total_tokens"
                 *         },
                 *         {
                 *           "metric": "total_cost"
                 *         }
                 *       ],
                 *       "call_metrics": [
                 *         {
                 *           "metric": "call_count"
                 *         }
                 *       ]
                 *     }
                 */
                readonly "application/json": components["schemas"]["CallStatsReq"];
            };
        };
        readonly responses: {
            /** @description The buckets. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallStatsRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly projects: {
        readonly parameters: {
            readonly query?: {
                /** @description At most PROJECTS_MAX_LIMIT. */
                readonly limit?: components["schemas"]["ProjectsQuery"]["limit"];
                /** @description `next_cursor` of the answer before, for the projects that follow. */
                readonly cursor?: components["schemas"]["ProjectsQuery"]["cursor"];
                /** @description Part of the project id; upper and lower case are the same. */
                readonly search?: components["schemas"]["ProjectsQuery"]["search"];
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The projects. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ProjectsRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly usage_export: {
        readonly parameters: {
            readonly query: {
                /** @description A project, `entity/*` or `*`; may be repeated. Patterns match the projects that the key may read. */
                readonly project: components["schemas"]["UsageExportQuery"]["project"];
                readonly start: components["schemas"]["EffectiveDate"];
                /** @description Exclusive; now if absent. */
                readonly end?: components["schemas"]["EffectiveDate"];
                /** @description `day`, `hour` or a number of seconds. */
                readonly bucket?: string;
                /** @description Names between commas; the model is always one. `op_name`, `wb_user_id` and `thread_id` may be two of three. */
                readonly group_by?: string;
                readonly timezone?: components["schemas"]["UsageExportQuery"]["timezone"];
                readonly format?: components["schemas"]["UsageExportQuery"]["format"];
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The file, with its name in `content-disposition`. */
            readonly 200: {
                headers: {
                    /** @description How many distinct projects and patterns of the request no project matches that has calls and that the key may read. Absent when none, and from the answer to HEAD. */
                    readonly "x-unknown-projects"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/csv": string;
                    readonly "application/jsonl": string;
                    readonly "application/vnd.apache.parquet": string;
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly calls_stream_query: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "project_id": "team/project",
                 *       "filter": {
                 *         "trace_roots_only": true
                 *       },
                 *       "query": {
                 *         "$expr": {
                 *           "$gte": [
                 *             {
                 *               "$getField": "started_at"
                 *             },
                 *             {
                 *               "$literal": 1767225600
                 *             }
                 *           ]
                 *         }
                 *       },
                 *       "sort_by": [
                 *         {
                 *           "field": "started_at",
                 *           "direction": "desc"
                 *         }
                 *       ],
                 *       "limit": 100
                 *     }
                 */
                readonly "application/json": components["schemas"]["CallsQueryReq"];
            };
        };
        readonly responses: {
            /** @description The calls, one a line. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/jsonl": components["schemas"]["ListedCall"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly calls_query_stats: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallsQueryStatsReq"];
            };
        };
        readonly responses: {
            /** @description The number of calls. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallsQueryStatsRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly call_read: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallReadReq"];
            };
        };
        readonly responses: {
            /** @description The call. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallReadRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly trace_usage: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "project_id": "team/project",
                 *       "filter": {
                 *         "trace_ids": [
                 *           "0198c8e4-5d2b-7f10-9a34-6a2f6c1c7a10"
                 *         ]
                 *       },
                 *       "include_costs": true
                 *     }
                 */
                readonly "application/json": components["schemas"]["TraceUsageReq"];
            };
        };
        readonly responses: {
            /** @description The usage of each call. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["TraceUsageRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly traces_query: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "project_id": "team/project",
                 *       "start": "2026-01-01T00:00:00Z",
                 *       "end": "2026-02-01T00:00:00Z",
                 *       "filter": {
                 *         "has_error": false
                 *       },
                 *       "sort_by": {
                 *         "field": "cost",
                 *         "direction": "desc"
                 *       },
                 *       "limit": 50
                 *     }
                 */
                readonly "application/json": components["schemas"]["TracesQueryReq"];
            };
        };
        readonly responses: {
            /** @description The traces. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["TracesQueryRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly call_start: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallStartReq"];
            };
        };
        readonly responses: {
            /** @description The start is stored. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallStartRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly call_end: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallEndReq"];
            };
        };
        readonly responses: {
            /** @description The end is stored. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallEndRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly call_upsert_batch: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallCreateBatchReq"];
            };
        };
        readonly responses: {
            /** @description All items that are not reported as dropped are stored. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallCreateBatchRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly calls_complete: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The part of the project id before the slash. */
                readonly entity: components["parameters"]["Entity"];
                /** @description The part of the project id after the slash. */
                readonly project: components["parameters"]["Project"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallsUpsertCompleteReq"];
            };
        };
        readonly responses: {
            /** @description All items that are not reported as dropped are stored. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallsUpsertCompleteRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly call_start_v2: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The part of the project id before the slash. */
                readonly entity: components["parameters"]["Entity"];
                /** @description The part of the project id after the slash. */
                readonly project: components["parameters"]["Project"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallStartReq"];
            };
        };
        readonly responses: {
            /** @description The start is stored. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallStartRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly call_end_v2: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The part of the project id before the slash. */
                readonly entity: components["parameters"]["Entity"];
                /** @description The part of the project id after the slash. */
                readonly project: components["parameters"]["Project"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallEndReq"];
            };
        };
        readonly responses: {
            /** @description The end is stored. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallEndRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly otel_export_traces: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/x-protobuf": string;
                readonly "application/json": components["schemas"]["ExportTraceServiceReq"];
            };
        };
        readonly responses: {
            /** @description All spans that are not reported as rejected are stored. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/x-protobuf": string;
                    readonly "application/json": components["schemas"]["ExportTraceServiceRes"];
                };
            };
            readonly 400: components["responses"]["OtlpRefused"];
            readonly 401: components["responses"]["OtlpRefused"];
            readonly 403: components["responses"]["OtlpRefused"];
            readonly 413: components["responses"]["OtlpRefused"];
            readonly 415: components["responses"]["OtlpRefused"];
            readonly 429: components["responses"]["OtlpRetry"];
            readonly 503: components["responses"]["OtlpRetry"];
            readonly 504: components["responses"]["OtlpRetry"];
            readonly default: components["responses"]["OtlpRefused"];
        };
    };
    readonly agents_otel_export_traces: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/x-protobuf": string;
                readonly "application/json": components["schemas"]["ExportTraceServiceReq"];
            };
        };
        readonly responses: {
            /** @description All spans that are not reported as rejected are stored. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/x-protobuf": string;
                    readonly "application/json": components["schemas"]["ExportTraceServiceRes"];
                };
            };
            readonly 400: components["responses"]["OtlpRefused"];
            readonly 401: components["responses"]["OtlpRefused"];
            readonly 403: components["responses"]["OtlpRefused"];
            readonly 413: components["responses"]["OtlpRefused"];
            readonly 415: components["responses"]["OtlpRefused"];
            readonly 429: components["responses"]["OtlpRetry"];
            readonly 503: components["responses"]["OtlpRetry"];
            readonly 504: components["responses"]["OtlpRetry"];
            readonly default: components["responses"]["OtlpRefused"];
        };
    };
    readonly export_traces: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/x-protobuf": string;
                readonly "application/json": components["schemas"]["ExportTraceServiceReq"];
            };
        };
        readonly responses: {
            /** @description All spans that are not reported as rejected are stored. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/x-protobuf": string;
                    readonly "application/json": components["schemas"]["ExportTraceServiceRes"];
                };
            };
            readonly 400: components["responses"]["OtlpRefused"];
            readonly 401: components["responses"]["OtlpRefused"];
            readonly 403: components["responses"]["OtlpRefused"];
            readonly 413: components["responses"]["OtlpRefused"];
            readonly 415: components["responses"]["OtlpRefused"];
            readonly 429: components["responses"]["OtlpRetry"];
            readonly 503: components["responses"]["OtlpRetry"];
            readonly 504: components["responses"]["OtlpRetry"];
            readonly default: components["responses"]["OtlpRefused"];
        };
    };
    readonly calls_delete: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallsDeleteReq"];
            };
        };
        readonly responses: {
            /** @description The calls are deleted. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallsDeleteRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly obj_create: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ObjCreateReq"];
            };
        };
        readonly responses: {
            /** @description The digest, the same for the same `val`. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ObjCreateRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly file_create: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "multipart/form-data": components["schemas"]["FileCreateReq"];
            };
        };
        readonly responses: {
            /** @description The digest, the same for the same bytes. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["FileCreateRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly files_create: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "multipart/form-data": components["schemas"]["FileCreateReq"];
            };
        };
        readonly responses: {
            /** @description The digest, the same for the same bytes. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["FileCreateRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly table_create: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["TableCreateReq"];
            };
        };
        readonly responses: {
            /** @description The digests, the same for the same rows. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["TableCreateRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly table_query: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["TableQueryReq"];
            };
        };
        readonly responses: {
            /** @description One entry for each row of the table. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["TableQueryRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly feedback_create: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["FeedbackCreateReq"];
            };
        };
        readonly responses: {
            /** @description The feedback is accepted. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["FeedbackCreateRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly feedback_batch_create: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["FeedbackCreateBatchReq"];
            };
        };
        readonly responses: {
            /** @description The feedback is accepted. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["FeedbackCreateBatchRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly call_update: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CallUpdateReq"];
            };
        };
        readonly responses: {
            /** @description The name is accepted. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallUpdateRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly graphql: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["GraphQlReq"];
            };
        };
        readonly responses: {
            /** @description Data, errors or both. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["GraphQlRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly cost_create: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CostCreateReq"];
            };
        };
        readonly responses: {
            /** @description The prices are stored. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CostCreateRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly cost_preview: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "project_id": "team/project",
                 *       "start": "2026-01-01T00:00:00Z",
                 *       "costs": {
                 *         "gpt-4o": {
                 *           "prompt_token_cost": 0.000002,
                 *           "completion_token_cost": 0.000008,
                 *           "effective_date": "2026-01-01"
                 *         }
                 *       }
                 *     }
                 */
                readonly "application/json": components["schemas"]["CostPreviewReq"];
            };
        };
        readonly responses: {
            /** @description The costs of both. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CostPreviewRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly cost_query: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "project_id": "team/project",
                 *       "query": {
                 *         "$expr": {
                 *           "$and": [
                 *             {
                 *               "$eq": [
                 *                 {
                 *                   "$getField": "llm_id"
                 *                 },
                 *                 {
                 *                   "$literal": "gpt-4o"
                 *                 }
                 *               ]
                 *             },
                 *             {
                 *               "$gte": [
                 *                 {
                 *                   "$getField": "effective_date"
                 *                 },
                 *                 {
                 *                   "$literal": "2026-01-01"
                 *                 }
                 *               ]
                 *             }
                 *           ]
                 *         }
                 *       },
                 *       "sort_by": [
                 *         {
                 *           "field": "effective_date",
                 *           "direction": "desc"
                 *         }
                 *       ],
                 *       "limit": 10
                 *     }
                 */
                readonly "application/json": components["schemas"]["CostQueryReq"];
            };
        };
        readonly responses: {
            /** @description The selected prices. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CostQueryRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly cost_purge: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "project_id": "team/project",
                 *       "query": {
                 *         "$expr": {
                 *           "$in": [
                 *             {
                 *               "$getField": "id"
                 *             },
                 *             [
                 *               {
                 *                 "$literal": "0b5c3d9e-7d1b-4f5e-9a43-6a2f6c1c7a10"
                 *               }
                 *             ]
                 *           ]
                 *         }
                 *       }
                 *     }
                 */
                readonly "application/json": components["schemas"]["CostPurgeReq"];
            };
        };
        readonly responses: {
            /** @description The prices are deleted; the next answer does not use them. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": Record<string, never>;
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly cost_unpriced: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "project_id": "team/project",
                 *       "after": "2026-01-01T00:00:00Z"
                 *     }
                 */
                readonly "application/json": components["schemas"]["CostUnpricedReq"];
            };
        };
        readonly responses: {
            /** @description The models. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CostUnpricedRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly cost_resolve: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "project_id": "team/project",
                 *       "models": [
                 *         "gpt-4o",
                 *         "azure/gpt-4o"
                 *       ],
                 *       "prompt_tokens": 1000
                 *     }
                 */
                readonly "application/json": components["schemas"]["CostResolveReq"];
            };
        };
        readonly responses: {
            /** @description A price for each model, or null. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CostResolveRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["UnsupportedMedia"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly 504: components["responses"]["TimedOut"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly server_info: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The versions that this service supports. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ServerInfoRes"];
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly livez: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The process lives. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["HealthRes"];
                };
            };
        };
    };
    readonly readyz: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The service should get traffic. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["HealthRes"];
                };
            };
            /** @description The service is not ready, for the reason in `status`. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["NotReadyRes"];
                };
            };
        };
    };
    readonly health: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Requests can be answered. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["HealthRes"];
                };
            };
            /** @description Requests cannot be answered, for the reason in `status`. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["NotReadyRes"];
                };
            };
        };
    };
    readonly metrics: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The text format 0.0.4. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/plain": string;
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly openapi_json: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description An OpenAPI 3.1 document. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": Record<string, never>;
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly docs: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/html": string;
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly default: components["responses"]["Refused"];
        };
    };
    readonly page: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/html": string;
                };
            };
            readonly 401: components["responses"]["NotAuthenticated"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 503: components["responses"]["Unavailable"];
            readonly default: components["responses"]["Refused"];
        };
    };
}
