import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface EmbeddedConfig {
  readonly username: string;
  readonly password: string;
  /** Directory of the engine's files. */
  readonly dataPath: string;
  /** Where the engine writes its warnings and errors: two files of at most 10 MB. */
  readonly logPath: string;
  /** Keep `system.query_log`, for measuring; its rows are dropped after a day. */
  readonly queryLog: boolean;
  /** Who else is let in; only tests have any. */
  readonly guests: readonly Guest[];
  /** The cluster that it is a node of; only tests and measurements have one. */
  readonly cluster?: EmbeddedCluster | undefined;
}

/** A cluster of embedded engines on loopback, one shard each, who know one another by the service's user. */
export interface EmbeddedCluster {
  readonly name: string;
  readonly password: string;
  /** The TCP port of each node. */
  readonly tcpPorts: readonly number[];
}

/** Somebody besides the service whose requests the embedded engine looks at. */
export interface Guest {
  readonly username: string;
  readonly password: string;
  /** What follows GRANT; without any there is no such user, and ClickHouse refuses the password. */
  readonly grants: readonly string[];
}

/** The files that the embedded engine is started with, in a directory that only this user can read. */
export interface ConfigFiles {
  readonly configPath: string;
  /** Where the engine writes the port that it listens on. */
  readonly portPath: string;
  /** Removes the directory; the engine needs it only to start. */
  remove(): Promise<void>;
}

/** Writes the configuration of the embedded engine. */
export async function writeConfig(config: EmbeddedConfig): Promise<ConfigFiles> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-engine-'));
  const removeAtExit = (): void => rmSync(directory, { recursive: true, force: true });
  process.on('exit', removeAtExit);
  const usersPath = join(directory, 'users.xml');
  const configPath = join(directory, 'config.xml');
  await writeFile(usersPath, toUsersXml(config), { mode: 0o600 });
  await writeFile(configPath, toConfigXml(config, usersPath), { mode: 0o600 });
  return {
    configPath,
    portPath: join(directory, 'port'),
    remove: async () => {
      process.off('exit', removeAtExit);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * `default` is who runs the start statements, inside the process and without a password. Over HTTP nobody gets
 * as far as being `default`: there, a request is looked at only if it has the service's own credentials.
 */
function toUsersXml({ username, password, guests }: EmbeddedConfig): string {
  const users = [{ username, password, grants: undefined }, ...guests];
  return `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>${commonRights}
      ${toGrantsXml(['SYSTEM LISTEN ON *.*', 'CREATE TEMPORARY TABLE ON *.*', 'READ ON FILE'])}
    </default>
    ${users.map(toUserXml).join('')}
  </users>
</clickhouse>
`;
}

const commonRights =
  '<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>';

function toUserXml(user: {
  username: string;
  password: string;
  grants?: Guest['grants'] | undefined;
}): string {
  if (user.grants?.length === 0) return '';
  const hash = createHash('sha256').update(user.password).digest('hex');
  return `<${user.username}>
      <password_sha256_hex>${hash}</password_sha256_hex>${commonRights}
      ${user.grants === undefined ? '' : toGrantsXml(user.grants)}
    </${user.username}>`;
}

function toGrantsXml(grants: readonly string[]): string {
  const queries = grants.map((grant) => `<query>GRANT ${grant}</query>`);
  return `<grants>${queries.join('')}</grants>`;
}

/**
 * Background threads and the rules for merges are those of a ClickHouse server: clickhouse-local, made for short
 * work, has two threads for merges and two for all else. Caches are smaller than a server's, since the service
 * shares its machine. Without a configured log table ClickHouse keeps none, so nothing but the service's own
 * tables grows on disk.
 */
function toConfigXml(config: EmbeddedConfig, usersPath: string): string {
  return `<clickhouse>
  <users_config>${toXmlText(usersPath)}</users_config>
  <user_files_path>${toXmlText(join(config.dataPath, 'user_files/'))}</user_files_path>
  <timezone>UTC</timezone>
  <logger>
    <log>${toXmlText(config.logPath)}</log>
    <size>10M</size>
    <count>1</count>
    <levels>
      <executeQuery>none</executeQuery>
      <DynamicQueryHandler>none</DynamicQueryHandler>
    </levels>
  </logger>
  <http_handlers>
    ${[config, ...config.guests].map(toHandlerXml).join('')}
  </http_handlers>
  <max_server_memory_usage_to_ram_ratio>0.7</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>1073741824</mark_cache_size>
  <index_mark_cache_size>268435456</index_mark_cache_size>
  <primary_index_cache_size>536870912</primary_index_cache_size>
  <background_pool_size>16</background_pool_size>
  <background_common_pool_size>8</background_common_pool_size>
  <background_schedule_pool_size>128</background_schedule_pool_size>
  <merge_tree>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>8</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_mutation>20</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>25</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
  ${config.queryLog ? queryLog : ''}
  ${config.cluster === undefined ? '' : toClusterXml(config.cluster, config.username)}
</clickhouse>
`;
}

/** Takes requests that have exactly these credentials; all others get 404. */
function toHandlerXml({ username, password }: { username: string; password: string }): string {
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  return `<rule>
      <headers><authorization>Basic ${credentials}</authorization></headers>
      <handler>
        <type>dynamic_query_handler</type>
        <query_param_name>query</query_param_name>
      </handler>
    </rule>`;
}

function toClusterXml({ name, password, tcpPorts }: EmbeddedCluster, username: string): string {
  const shards = tcpPorts.map(
    (port) =>
      `<shard><replica><host>127.0.0.1</host><port>${port}</port><user>${username}</user><password>${password}</password></replica></shard>`,
  );
  return `<remote_servers><${name}>${shards.join('')}</${name}></remote_servers>`;
}

const queryLog = `<query_log>
    <database>system</database>
    <table>query_log</table>
    <flush_interval_milliseconds>1000</flush_interval_milliseconds>
    <ttl>event_date + INTERVAL 1 DAY DELETE</ttl>
  </query_log>`;

function toXmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
