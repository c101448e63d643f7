// Where a PostgreSQL server is and who we are to it. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING

export interface Connection {
  /** A host name, or the absolute path of the directory that holds the Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A URL that pg, psql and every libpq program understand; a socket directory goes into the query. */
export function urlOf(connection: Connection): string {
  const user = `${encodeURIComponent(connection.user)}:${encodeURIComponent(connection.password)}`;
  const database = encodeURIComponent(connection.database);
  const { host, port } = connection;
  if (!host.startsWith('/')) return `postgresql://${user}@${host}:${port}/${database}`;
  return `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
}

/** The reverse of urlOf. Settings in the query other than `host` and `port` are left to pg, which is given the URL itself. */
export function connectionOf(url: string): Connection {
  const parsed = new URL(url);
  return {
    host: parsed.searchParams.get('host') ?? decodeURIComponent(parsed.hostname),
    port: Number(parsed.searchParams.get('port') ?? (parsed.port === '' ? 5432 : parsed.port)),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database: decodeURIComponent(parsed.pathname.slice(1)),
  };
}
