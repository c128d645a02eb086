/**
 * `npm run bench:otlp`: spans per second over OTLP in each format and compression, beside direct inserts of the same rows;
 * processor time and bytes on disk per span. `-- --quick` takes less than a minute, a full run about three.
 */
import { measureOtlp } from './otlp/measure-otlp.ts';

const isQuick = process.argv.includes('--quick');
const options = isQuick ? { rounds: 2, roundSeconds: 2 } : { rounds: 5, roundSeconds: 5 };
console.log(JSON.stringify(await measureOtlp(options), undefined, 2));
