/**
 * The process of the embedded ClickHouse server: runs clickhouse-local with the given arguments until its standard
 * input is closed. Plain JavaScript, so that Node needs no loader.
 *
 * Arguments: the path of libchdb, then those of clickhouse-local.
 */
import ffi from 'ffi-rs';

const [libraryPath = '', ...options] = process.argv.slice(2);
const programArguments = ['clickhouse-local', ...options];

ffi.open({ library: 'chdb', path: libraryPath });
ffi.load({
  library: 'chdb',
  // The main function of clickhouse-local. It does not return while the server runs.
  funcName: 'chdb_query_cmdline',
  retType: ffi.DataType.External,
  paramsType: [ffi.DataType.I32, ffi.DataType.StringArray],
  paramsValue: [programArguments.length, programArguments],
});
