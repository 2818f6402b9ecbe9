"""Brings Nova's three databases up to date and maps its two cells, in one interpreter.

The cells' addresses are kept as templates, filled in from nova.conf by who reads them: a changed password needs no
other change. CELL0_DATABASE is the name of the database of servers that no node was found for.
"""

import os
import sys

from nova.cmd import manage
from nova import config
from nova import context
from nova import objects
from oslo_log import log as logging

DATABASE = "{scheme}://{username}:{password}@{hostname}:{port}/"
CELL0 = DATABASE + os.environ["CELL0_DATABASE"]
CELL1 = DATABASE + "{path}?{query}"
TRANSPORT = "{scheme}://{username}:{password}@{hostname}:{port}/{path}?{query}"


def done(what, code):
    if code not in (None, 0):
        sys.exit(f"{what} failed ({code}): what it said stands above; the database keeps what was done, and the next try goes on from there")
    print(f"{what}: done", flush=True)


def cells():
    return {cell.name: cell for cell in objects.CellMappingList.get_all(context.get_admin_context())}


def main():
    config.parse_args(["nova-manage"])
    logging.setup(manage.CONF, "nova")
    objects.register_all()
    cell_v2, database = manage.CellV2Commands(), manage.DbCommands()
    done("schema of the API's database", manage.ApiDbCommands().sync())
    if "cell0" not in cells():
        done("map of cell0", cell_v2.map_cell0(database_connection=CELL0))
    # Both cells: cell0 by its mapping, cell1 by nova.conf.
    done("schema of the cells' databases", database.sync())
    if "cell1" not in cells():
        done("map of cell1", cell_v2.create_cell(name="cell1", database_connection=CELL1, transport_url=TRANSPORT))
    done("migration of data", database.online_data_migrations(max_count=None))


main()
