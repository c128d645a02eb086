/** A row of `llm_token_prices` at the default level, free and always in force, but for what is given. */
export function defaultPrice(given: object): object {
  return {
    pricing_level: 'default',
    pricing_level_id: 'default',
    provider_id: 'default',
    llm_id: 'a-model',
    effective_date: '1900-01-01 00:00:00',
    prompt_token_cost: '0',
    completion_token_cost: '0',
    created_by: 'test',
    ...given,
  };
}
