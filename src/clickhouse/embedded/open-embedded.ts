import { openSession, type Session, type SessionOptions } from '../schema/open-session.ts';
import { killWhenHung } from './kill-when-hung.ts';
import { startEmbeddedServer, type ServerOptions } from './embedded-server.ts';

export type EmbeddedOptions = ServerOptions &
  Omit<SessionOptions, 'databaseEngine'> & {
    readonly database: string;
    readonly hangTimeoutMs: number;
  };

/**
 * Starts the embedded server and opens a session on it; closing the session stops the server.
 * @throws as `startEmbeddedServer` and `openSession`
 */
export async function openEmbedded(
  options: EmbeddedOptions,
  signal: AbortSignal,
): Promise<Session> {
  const server = await startEmbeddedServer(options, signal);
  void killWhenHung(server, options.database, options);
  try {
    const address = { ...server.address, database: options.database };
    // The default of clickhouse-local is another one than a server's.
    const session = await openSession(
      address,
      { ...options, databaseEngine: 'ENGINE = Atomic' },
      signal,
    );
    return {
      ...session,
      ended: Promise.race([session.ended, server.ended]),
      close: async () => {
        await session.close();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
