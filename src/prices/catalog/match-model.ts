import type { MatchLogic } from '@pydantic/genai-prices';

/** A model as a provider lists it. */
export interface MatchableModel {
  readonly id: string;
  readonly match: MatchLogic;
}

/** A name that a model lists verbatim is preferred to any pattern. */
const verbatim = Number.MAX_SAFE_INTEGER;

/** What a pattern may leave open: dates, versions and release words. A further word is another model. */
const version =
  /^(?:[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|\d{2}-\d{2}|\d{2}-\d{4}|\d{3,4})|-(?:latest|preview|default)|-v(\d+)(?::\d+)?|:\d+k?)*$/;

/**
 * What may come before a literal that is somewhere in a name: nothing, or the vendor and the geography of a Bedrock
 * profile. Anthropic's prices are those of all geographies, other prices those of the United States.
 */
const bedrockPrefix =
  /^(?:(?:us\.)?(?!(?:eu|apac|au|jp|ca|global|us-gov)\.)[a-z0-9]+\.|us\.|(?:eu|apac|au|jp|ca)\.anthropic\.)?$/;

/**
 * Finds the models that a name may denote: those that list it verbatim, otherwise those with the longest literal that
 * it matches, where the rest is a date or a version. Several models are a conflict if their prices differ.
 * @param name in lower case
 */
export function findModels<Model extends MatchableModel>(
  models: readonly Model[],
  name: string,
): readonly Model[] {
  const scores = models.map((model) => scoreModel(model, name));
  const best = Math.max(0, ...scores);
  return best === 0 ? [] : models.filter((_, index) => scores[index] === best);
}

/** @returns the models that list a name verbatim, as their id or in a clause; the name in lower case */
export function listNamed<Model extends MatchableModel>(
  models: readonly Model[],
  name: string,
): readonly Model[] {
  return models.filter((model) => scoreModel(model, name) === verbatim);
}

/** @returns whether a clause of the book matches a name, as the package evaluates it */
export function matchesClause(match: MatchLogic, name: string): boolean {
  if ('or' in match) return match.or.some((each) => matchesClause(each, name));
  if ('and' in match) return match.and.every((each) => matchesClause(each, name));
  if ('regex' in match) return new RegExp(match.regex).test(name);
  const lower = name.toLowerCase();
  if ('equals' in match) return lower === match.equals.toLowerCase();
  if ('starts_with' in match) return lower.startsWith(match.starts_with.toLowerCase());
  if ('ends_with' in match) return lower.endsWith(match.ends_with.toLowerCase());
  return lower.includes(match.contains.toLowerCase());
}

function scoreModel(model: MatchableModel, name: string): number {
  return model.id.toLowerCase() === name ? verbatim : scoreClause(model.match, name, model.id);
}

/** @returns 0 if the clause does not match, or leaves open what is not a version; otherwise how specific it is */
function scoreClause(match: MatchLogic, name: string, modelId: string): number {
  if (!matchesClause(match, name)) return 0;
  if ('or' in match) {
    return Math.max(...match.or.map((each) => scoreClause(each, name, modelId)));
  }
  if ('and' in match) {
    return Math.min(...match.and.map((each) => scoreClause(each, name, modelId)));
  }
  if ('regex' in match) {
    // An expression without an end, such as `^gemini-3\\.5-flash-\\d`, leaves as much open as the name of the model.
    return match.regex.endsWith('$') || match.regex.startsWith('^(?!')
      ? name.length
      : scoreLiteral(modelId.toLowerCase(), name, modelId);
  }
  if ('equals' in match) return verbatim;
  const literal = toLiteral(match).toLowerCase();
  // `claude-sonnet-4-2025` and `gemini-2.0-flash-0` end within a date or a version.
  const word = literal.replace(/[-@](?:20\d\d|0)?$/, '');
  return scoreLiteral(literal, name, modelId) || scoreLiteral(word, name, modelId);
}

function toLiteral(
  match: { starts_with: string } | { ends_with: string } | { contains: string },
): string {
  if ('starts_with' in match) return match.starts_with;
  return 'ends_with' in match ? match.ends_with : match.contains;
}

function scoreLiteral(literal: string, name: string, modelId: string): number {
  const start = name.indexOf(literal);
  const [before, after] = [name.slice(0, start), name.slice(start + literal.length)];
  return bedrockPrefix.test(before) && isVersionOf(after, modelId) ? literal.length : 0;
}

/** A `-v2` is a version of a model whose id has it, or has no version. */
function isVersionOf(rest: string, modelId: string): boolean {
  const found = version.exec(rest);
  if (found === null) return false;
  const versionOfId = /-v(\d+)(?=[:-]|$)/.exec(modelId)?.[1];
  return found[1] === undefined || versionOfId === undefined || versionOfId === found[1];
}
