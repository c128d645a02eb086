/** A model name without what names a gateway, a provider or a place. */
export interface ModelName {
  /** The provider that the name says serves the model; null if it says none. */
  readonly provider_id: string | null;
  /** Whether there is a prefix that names no provider, such as `my-company/`. */
  readonly hasUnknownPrefix: boolean;
  readonly model: string;
}

const maxGatewayPrefixes = 3;

/** Prefixes that name a gateway, not a provider. */
const gatewayPrefix = /^(?:litellm|litellm_proxy|models)\//i;

/** Names of providers in prefixes, besides their ids in the book. Nothing else is taken for one of them. */
const providerNames = new Map(
  Object.entries({
    anthropic: 'anthropic_text',
    aws: 'bedrock bedrock_converse bedrock_mantle amazon-bedrock amazon_bedrock amazon aws_bedrock aws-bedrock',
    azure: 'azure_ai azure-ai azure_openai azure-openai azure_text azureopenai',
    cloudflare: 'workers_ai workers-ai cloudflare_ai',
    cohere: 'cohere_chat',
    fireworks: 'fireworks_ai fireworks-ai',
    'github-copilot': 'github_copilot copilot',
    google:
      'gemini vertex_ai vertex_ai_beta vertexai vertex vertex-ai google_vertexai google_genai google-vertex google_ai_studio google-ai-studio',
    mistral: 'mistralai',
    moonshotai: 'moonshot',
    openai: 'text-completion-openai openai_chat',
    perplexity: 'perplexity_ai perplexity-ai',
    together: 'together_ai together-ai',
    voyageai: 'voyage voyage_ai',
    'x-ai': 'xai x_ai',
    zai: 'z-ai z_ai z.ai',
    zhipuai: 'zhipu bigmodel',
  }).flatMap(([id, names]) => names.split(' ').map((name) => [name, id] as const)),
);

/** What a provider's clients put between its name and the model, and what does not change the price. */
const providerPaths = new Map([
  ['aws', /^(?:converse|invoke|us-east-1|us-east-2|us-west-2)\//],
  ['azure', /^(?:global|global-standard|responses|chat)\//],
  ['google', /^(?:anthropic|google|publishers\/(?:anthropic|google)\/models)\//],
  ['openai', /^(?:responses|chat)\//],
]);

/** Vendors in model ids of Bedrock, such as `us.anthropic.claude-sonnet-4-5-20250929-v1:0`. */
const bedrockModel =
  /^(?:(?:us|eu|apac|global|jp|au|ca|us-gov|regional)\.)?(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|nvidia|openai|qwen|writer|zai)\.[a-z]/i;

/** An application inference profile or a provisioned model has an id of its own, which says nothing of its model. */
const bedrockArn =
  /^arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:(?:foundation-model|inference-profile)\/([^/]+)$/i;

const vertexResource =
  /^(?:projects\/[^/]+\/)?locations\/([^/]+)\/publishers\/([^/]+)\/models\/([^/]+)$/i;

/** Claude models whose regional endpoints on Vertex AI cost as much as the global one; those of later ones cost more. */
const sameEverywhere = /^claude-(?:3|opus-4[@-](?:2|1)|sonnet-4[@-]2)/;

/** Suffixes by which OpenRouter chooses among sellers or turns something on; the price per token stays. */
const routingSuffix = /:(?:nitro|floor|exacto|online|thinking|beta)$/;

const dateSuffix = /(?:-20\d{2}-\d{2}-\d{2}|[-@]20\d{6})$/;

/**
 * Splits a name into provider and model.
 * @param isProvider whether the book has a provider of an id
 */
export function toModelName(name: string, isProvider: (id: string) => boolean): ModelName | null {
  let rest = name;
  for (let left = maxGatewayPrefixes; left > 0 && gatewayPrefix.test(rest); left -= 1) {
    rest = rest.replace(gatewayPrefix, '');
  }
  // AWS GovCloud has prices of its own.
  if (/(?:^|\/)us-gov[.-]/i.test(rest)) return null;
  if (/^arn:/i.test(rest)) return toBedrockName(rest);
  if (/(?:^|\/)publishers\//i.test(rest)) {
    const vertex = toVertexName(rest);
    if (vertex !== undefined) return vertex;
  }
  const slash = rest.indexOf('/');
  const prefix = rest.slice(0, Math.max(slash, 0)).toLowerCase();
  const provider_id = providerNames.get(prefix) ?? (isProvider(prefix) ? prefix : null);
  if (provider_id === null) {
    const isBedrock = slash < 0 && bedrockModel.test(rest);
    return toName(isBedrock ? 'aws' : toImpliedProvider(rest), rest, slash >= 0);
  }
  const model = rest.slice(slash + 1);
  if (provider_id === 'aws' && /^arn:/i.test(model)) return toBedrockName(model);
  return toName(provider_id, stripPaths(provider_id, model), false);
}

/** @returns shorter forms of a name that have the same price, in the order in which they are tried */
export function toShorterNames(name: string): string[] {
  const names: string[] = [];
  let shorter = name;
  while (routingSuffix.test(shorter)) {
    shorter = shorter.replace(routingSuffix, '');
    names.push(shorter);
  }
  // Providers give a new snapshot of a model the price of the model, and list it under its own name if they do not.
  if (dateSuffix.test(shorter)) names.push(shorter.replace(dateSuffix, ''));
  return names;
}

function toName(provider_id: string | null, model: string, hasUnknownPrefix: boolean): ModelName {
  const spelled = model
    .replace(/^gpt-35(?=-|$)/i, 'gpt-3.5')
    // Vertex AI has the version after an @, and a revision before the date of Claude 3.5 Sonnet: `-v2@20241022`.
    .replace(/-v\d(?=@\d)/, '')
    .replace(/@(?:default|latest)$/, '');
  return { provider_id, hasUnknownPrefix, model: toFineTuned(spelled) };
}

/** A fine-tuned model is called after the model that it was made of: `ft:gpt-4o-mini-2024-07-18:acme::abc123`. */
function toFineTuned(model: string): string {
  return /^ft:[^:]+/i.exec(model)?.[0] ?? model;
}

function toImpliedProvider(model: string): string | null {
  return /^ft:/i.test(model) ? 'openai' : null;
}

function toBedrockName(arn: string): ModelName | null {
  const model = bedrockArn.exec(arn)?.[1];
  return model === undefined ? null : toName('aws', model, false);
}

/** @returns null if the endpoint has prices of its own; undefined if the name is none of a Vertex AI resource */
function toVertexName(name: string): ModelName | null | undefined {
  const [, location, publisher, model] =
    vertexResource.exec(name.replace(/^(?:vertex_ai|google)\//i, '')) ?? [];
  if (location === undefined || publisher === undefined || model === undefined) return undefined;
  if (publisher !== 'anthropic' && publisher !== 'google') return null;
  const isRegional = publisher === 'anthropic' && location !== 'global';
  return isRegional && !sameEverywhere.test(model) ? null : toName('google', model, false);
}

function stripPaths(providerId: string, model: string): string {
  const path = providerPaths.get(providerId);
  let rest = model;
  while (path?.test(rest) === true) rest = rest.replace(path, '');
  return rest;
}
