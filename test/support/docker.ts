import { getContainerRuntimeClient } from 'testcontainers';

/** Why containers cannot be run here; undefined where they can. */
export async function whyNoDocker(): Promise<string | undefined> {
  try {
    await getContainerRuntimeClient();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
