/**
 * The embedded ClickHouse: a process of its own, which turns into a ClickHouse server with the arguments that
 * it gets and stays one until its standard input ends. Plain JavaScript, so that Node runs it as it is.
 *
 * Arguments: the path of libchdb, then those of clickhouse-local.
 */
import ffi from 'ffi-rs';

const [libraryPath = '', ...options] = process.argv.slice(2);
const programArguments = ['clickhouse-local', ...options];

ffi.open({ library: 'chdb', path: libraryPath });
ffi.load({
  library: 'chdb',
  // clickhouse-local's main function. It does not return while the server runs.
  funcName: 'chdb_query_cmdline',
  retType: ffi.DataType.External,
  paramsType: [ffi.DataType.I32, ffi.DataType.StringArray],
  paramsValue: [programArguments.length, programArguments],
});
