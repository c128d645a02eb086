import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface TestUser {
  readonly username: string;
  readonly password: string;
  /** The privileges, as they follow GRANT; undefined for all of them. */
  readonly grants?: readonly string[];
}

/**
 * Adds XML to the configuration of the embedded server that is started on `dataDir` next, as an operator can.
 * @param folder `config.d` for the server, `users.d` for its users
 */
export async function addOverride(
  dataDir: string,
  folder: 'config.d' | 'users.d',
  name: string,
  xml: string,
): Promise<void> {
  const directory = join(dataDir, 'clickhouse', folder);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, `${name}.xml`), `<clickhouse>${xml}</clickhouse>`);
}

/** Adds a user who can send requests. */
export async function addUser(dataDir: string, user: TestUser): Promise<void> {
  const grants = user.grants?.map((grant) => `<query>GRANT ${grant}</query>`);
  await addHandler(dataDir, user);
  await addOverride(
    dataDir,
    'users.d',
    user.username,
    `<users>
      <${user.username}>
        <password>${user.password}</password>
        <networks><ip>127.0.0.1</ip></networks>
        <profile>default</profile>
        <quota>default</quota>
        ${grants === undefined ? '' : `<grants>${grants.join('')}</grants>`}
      </${user.username}>
    </users>`,
  );
}

/** Lets the server handle requests with these credentials; without such a user it then refuses the password. */
export async function addHandler(
  dataDir: string,
  { username, password }: Pick<TestUser, 'username' | 'password'>,
): Promise<void> {
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  await addOverride(
    dataDir,
    'config.d',
    username,
    `<http_handlers>
      <rule_${username}>
        <headers><authorization>Basic ${credentials}</authorization></headers>
        <handler>
          <type>dynamic_query_handler</type>
          <query_param_name>query</query_param_name>
        </handler>
      </rule_${username}>
    </http_handlers>`,
  );
}

/**
 * Lets the server remove replaced files after one or two seconds. By default they stay for 8 minutes, and an idle server
 * looks for them after pauses that grow from 30 seconds.
 */
export async function addQuickCleanup(dataDir: string): Promise<void> {
  await addOverride(
    dataDir,
    'config.d',
    'cleanup',
    `<merge_tree>
      <old_parts_lifetime>1</old_parts_lifetime>
      <cleanup_delay_period>1</cleanup_delay_period>
      <cleanup_delay_period_random_add>0</cleanup_delay_period_random_add>
      <max_cleanup_delay_period>1</max_cleanup_delay_period>
    </merge_tree>`,
  );
}

/** Lets the server keep `system.query_log`, for one day. */
export async function addQueryLog(dataDir: string): Promise<void> {
  await addOverride(
    dataDir,
    'config.d',
    'query_log',
    `<query_log>
      <database>system</database>
      <table>query_log</table>
      <flush_interval_milliseconds>1000</flush_interval_milliseconds>
      <ttl>event_date + INTERVAL 1 DAY DELETE</ttl>
    </query_log>`,
  );
}
