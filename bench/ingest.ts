/**
 * `npm run bench:ingest`: the throughput of ingestion compared with direct inserts of the same rows; what many small
 * requests do to latency and to ClickHouse's parts; latency of usage requests meanwhile; how rollups keep up. `-- --quick` takes
 * about a minute, a full run about six.
 */
import { fullIngest, measureIngest, quickIngest } from './ingest/measure-ingest.ts';

const options = process.argv.includes('--quick') ? quickIngest : fullIngest;
console.log(JSON.stringify(await measureIngest(options), undefined, 2));
