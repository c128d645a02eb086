import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ServerConfig {
  /** The only user who can send requests. */
  readonly username: string;
  readonly password: string;
  /** Directory of the server's files. */
  readonly dataPath: string;
  /** The server's log of warnings and errors: two files of at most 10 MB. */
  readonly logPath: string;
}

/** The files that the embedded server needs to start, in a directory that only this user can read. */
export interface ConfigFiles {
  readonly configPath: string;
  /** The server writes its HTTP port into this file. */
  readonly portPath: string;
  /** Removes the directory, after the server has started. */
  remove(): Promise<void>;
}

/** The names of the directories in which ClickHouse looks for files to merge into config.xml and users.xml. */
const overrideFolders = ['config.d', 'users.d'];

/**
 * Writes the configuration of the embedded server. As with every ClickHouse server, an operator can add to it: the XML
 * files in `config.d` and `users.d` of `dataPath` are merged into it.
 */
export async function writeConfigFiles(config: ServerConfig): Promise<ConfigFiles> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-clickhouse-'));
  const removeAtExit = (): void => rmSync(directory, { recursive: true, force: true });
  process.on('exit', removeAtExit);
  const usersPath = join(directory, 'users.xml');
  const configPath = join(directory, 'config.xml');
  await writeFile(usersPath, toUsersXml(config), { mode: 0o600 });
  await writeFile(configPath, toConfigXml(config, usersPath), { mode: 0o600 });
  for (const folder of overrideFolders) {
    await symlink(join(config.dataPath, folder), join(directory, folder));
  }
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
 * `default` runs the statements of the start, inside the process and without a password. Over HTTP nobody can be
 * `default`: the server handles only requests with the credentials of the service.
 */
function toUsersXml({ username, password }: ServerConfig): string {
  const hash = createHash('sha256').update(password).digest('hex');
  const access =
    '<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>';
  return `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>${access}
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
        <query>GRANT READ ON FILE</query>
      </grants>
    </default>
    <${username}>
      <password_sha256_hex>${hash}</password_sha256_hex>${access}
    </${username}>
  </users>
</clickhouse>
`;
}

/**
 * Background threads and rules for merges are those of a ClickHouse server; clickhouse-local, made for short runs, has
 * two threads for merges and two for everything else. Caches are smaller than a server's, since the service shares the
 * machine. ClickHouse writes no log table that is not configured, so that only the service's tables grow on disk.
 */
function toConfigXml(config: ServerConfig, usersPath: string): string {
  return `<clickhouse>
  <users_config>${toXmlText(usersPath)}</users_config>
  <user_files_path>${toXmlText(join(config.dataPath, 'user_files/'))}</user_files_path>
  <http_port>0</http_port>
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
    ${toHandlerXml(config)}
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
</clickhouse>
`;
}

/** Handles requests with exactly these credentials; ClickHouse answers all others with 404. */
function toHandlerXml({ username, password }: ServerConfig): string {
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  return `<rule>
      <headers><authorization>Basic ${credentials}</authorization></headers>
      <handler>
        <type>dynamic_query_handler</type>
        <query_param_name>query</query_param_name>
      </handler>
    </rule>`;
}

function toXmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
