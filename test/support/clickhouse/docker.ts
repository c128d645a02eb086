import { getContainerRuntimeClient } from 'testcontainers';

/** Returns why Docker cannot be used here; undefined if it can. */
export async function whyNoDocker(): Promise<string | undefined> {
  try {
    await getContainerRuntimeClient();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
