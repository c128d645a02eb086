/** Uses the features of the SDK that need more than the call endpoints: datasets, evaluations, media, names, a login. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as weave from 'weave';
import { createAgent, smallModel } from './agent.ts';
import { requiredVariable, startProgram } from './start-program.ts';

const context = await startProgram();
const { client, recorder } = context;
const { requestChat } = createAgent(context);

interface Row extends Record<string, unknown> {
  readonly question: string;
  readonly expected: number;
}

const dataset = new weave.Dataset<Row>({
  name: 'questions',
  rows: [1, 2, 3].map((expected) => ({ question: `What is ${expected}?`, expected })),
});

const model = recorder.op('model', async (_input: { datasetRow: Row }) => {
  await requestChat(smallModel, { prompt: 13, completion: 2 });
  return 1;
});

const scorer = recorder.op('scorer', async (input: { modelOutput: number; datasetRow: Row }) => {
  await requestChat(smallModel, { prompt: 17, completion: 1 });
  return input.modelOutput === input.datasetRow.expected;
});

const evaluate = recorder.op('evaluate', async () => {
  const evaluation = new weave.Evaluation({ name: 'evaluation', dataset, scorers: [scorer] });
  return await evaluation.evaluate({ model, nTrials: 2 });
});

/** Logs a prediction and its score by hand. */
const log = recorder.op('log', async () => {
  const logger = new weave.EvaluationLogger({ name: 'log', dataset, model: { name: 'model' } });
  const prediction = logger.logPrediction({ question: 'What is 1?' }, 1);
  await requestChat(smallModel, { prompt: 23, completion: 1 });
  await prediction.logScore('accuracy', 0.5);
  await prediction.finish();
  await logger.logSummary();
});

/** Has inputs and outputs of every kind that the SDK stores apart from the call. */
const look = recorder.op('look', async (_dataset: weave.Dataset<Row>, _row: Row) => {
  await requestChat(smallModel, { prompt: 19, completion: 3 });
  return {
    image: weave.weaveImage({ data: Buffer.from('an image'), imageType: 'png' }),
    audio: weave.weaveAudio({ data: Buffer.from('a sound'), audioType: 'wav' }),
    prompt: new weave.StringPrompt({ content: 'Hello {name}' }),
    messages: new weave.MessagesPrompt({ messages: [{ role: 'user', content: 'Hello' }] }),
  };
});

// `login` writes the key to this file and prints a warning if it is missing.
writeFileSync('.netrc', '');
await weave.login(requiredVariable('WANDB_API_KEY'), 'api.wandb.ai');

const summary = await evaluate();
assert.deepEqual(summary['model_success'], { true_count: 6, true_fraction: 1 });
assert.deepEqual(summary['scorer'], { true_count: 2, true_fraction: 2 / 6 });
await log();
const [, call] = await look.invoke(dataset, dataset.getRow(1));
await call.setDisplayName('A look');
await dataset.save();
await client.publish({ any: 'object' }, 'thing');
