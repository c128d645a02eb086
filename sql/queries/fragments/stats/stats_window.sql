-- Whether a call starts in the window of a request for statistics.
started_us >= {start_us:Int64} AND started_us < {end_us:Int64}
