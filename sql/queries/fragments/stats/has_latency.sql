-- Whether a call has ended, and not before it started.
open_id = ended AND ended_us >= started_us AS has_latency
