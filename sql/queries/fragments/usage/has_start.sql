-- Whether the start of a call has arrived. Until then its start is the first instant of 1900.
started_us > toUnixTimestamp64Micro(toDateTime64('1900-01-01 00:00:00', 6, 'UTC'))
