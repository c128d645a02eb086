/** Uses what of the SDK asks the service for more than taking calls: datasets, evaluations, media, names, a login. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as weave from 'weave';
import { createAgent, small } from './agent.ts';
import { setting, startProgram } from './program.ts';

const tools = await startProgram();
const { client, ledger } = tools;
const { ask } = createAgent(tools);

interface Row extends Record<string, unknown> {
  readonly question: string;
  readonly expected: number;
}

const dataset = new weave.Dataset<Row>({
  name: 'questions',
  rows: [1, 2, 3].map((expected) => ({ question: `What is ${expected}?`, expected })),
});

const model = ledger.op('model', async (_input: { datasetRow: Row }) => {
  await ask(small, { prompt: 13, completion: 2 });
  return 1;
});

const scorer = ledger.op('scorer', async (input: { modelOutput: number; datasetRow: Row }) => {
  await ask(small, { prompt: 17, completion: 1 });
  return input.modelOutput === input.datasetRow.expected;
});

const evaluate = ledger.op('evaluate', async () => {
  const evaluation = new weave.Evaluation({ name: 'evaluation', dataset, scorers: [scorer] });
  return await evaluation.evaluate({ model, nTrials: 2 });
});

/** Scores what was predicted before. */
const log = ledger.op('log', async () => {
  const logger = new weave.EvaluationLogger({ name: 'log', dataset, model: { name: 'model' } });
  const prediction = logger.logPrediction({ question: 'What is 1?' }, 1);
  await ask(small, { prompt: 23, completion: 1 });
  await prediction.logScore('accuracy', 0.5);
  await prediction.finish();
  await logger.logSummary();
});

/** Takes and answers everything that the SDK stores apart from the call. */
const look = ledger.op('look', async (_dataset: weave.Dataset<Row>, _row: Row) => {
  await ask(small, { prompt: 19, completion: 3 });
  return {
    image: weave.weaveImage({ data: Buffer.from('an image'), imageType: 'png' }),
    audio: weave.weaveAudio({ data: Buffer.from('a sound'), audioType: 'wav' }),
    prompt: new weave.StringPrompt({ content: 'Hello {name}' }),
    messages: new weave.MessagesPrompt({ messages: [{ role: 'user', content: 'Hello' }] }),
  };
});

// The SDK complains of a home without this file, and writes the key to it.
writeFileSync('.netrc', '');
await weave.login(setting('WANDB_API_KEY'), 'api.wandb.ai');

const summary = await evaluate();
assert.deepEqual(summary['model_success'], { true_count: 6, true_fraction: 1 });
assert.deepEqual(summary['scorer'], { true_count: 2, true_fraction: 2 / 6 });
await log();
const [, call] = await look.invoke(dataset, dataset.getRow(1));
await call.setDisplayName('A look');
await dataset.save();
await client.publish({ any: 'object' }, 'thing');
