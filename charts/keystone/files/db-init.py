"""Makes a service's database and its account, as often as wanted.

DB_ADMIN and DB_SERVICE are URLs (mysql+pymysql://user:password@host:port/database). An account that
exists gets the password anew, so that a changed Secret is taken over.
"""

import os
import sys
from urllib.parse import unquote, urlsplit

import pymysql


def main():
    admin, service = (urlsplit(os.environ[name]) for name in ("DB_ADMIN", "DB_SERVICE"))
    database = service.path.lstrip("/")
    user, password = unquote(service.username), unquote(service.password)
    try:
        connection = pymysql.connect(
            host=admin.hostname,
            port=admin.port or 3306,
            user=unquote(admin.username),
            password=unquote(admin.password),
            connect_timeout=20,
        )
    except pymysql.err.OperationalError as error:
        code, reason = error.args
        hint = ""
        if code == 1045:
            hint = " (the password in the Secret is not the server's: was it changed since the database was made?)"
        sys.exit(f"can not reach the database at {admin.hostname} as {admin.username}: {reason}{hint}")
    account = f"{connection.escape(user)}@'%'"
    name = "`" + database.replace("`", "``") + "`"
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        cursor.execute(f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY {connection.escape(password)}")
        cursor.execute(f"ALTER USER {account} IDENTIFIED BY {connection.escape(password)}")
        cursor.execute(f"GRANT ALL PRIVILEGES ON {name}.* TO {account}")
    print(f"database {database} is there, and {user} may use it")


main()
