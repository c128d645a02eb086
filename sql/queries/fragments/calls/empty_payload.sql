-- The assignments that erase the payload of a part: the defaults of the columns. Columns that rules need stay.
inputs_dump = '{}',
output_dump = 'null',
exception = '',
otel_dump = ''
