/** A service tier as it is stored; empty for standard. */
export type StoredServiceTier = '' | 'batch' | 'flex' | 'priority';

/** A service tier as requests and answers have it. */
type ServiceTier = 'standard' | Exclude<StoredServiceTier, ''>;

export function toStoredTier(tier: ServiceTier | null | undefined): StoredServiceTier {
  return tier === undefined || tier === null || tier === 'standard' ? '' : tier;
}

export function fromStoredTier(stored: string): ServiceTier {
  return stored === '' ? 'standard' : (stored as ServiceTier);
}
