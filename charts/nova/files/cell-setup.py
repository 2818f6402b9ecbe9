"""Maps new computes to their cell, so that servers are put on them. WAIT_SECONDS: how long to wait for a first one."""

import os
import sys
import time

from nova.cmd import manage
from nova import config
from nova import context
from nova import objects
from oslo_log import log as logging

PAUSE = 0.5


def mapped():
    return [mapping.host for mapping in objects.HostMappingList.get_all(context.get_admin_context())]


def main():
    config.parse_args(["nova-manage"])
    logging.setup(manage.CONF, "nova")
    objects.register_all()
    deadline = time.monotonic() + float(os.environ["WAIT_SECONDS"])
    cells = manage.CellV2Commands()
    while True:
        # Where the scheduler maps the same host in the same moment, one of both says so, and the host is mapped.
        cells.discover_hosts()
        if hosts := mapped():
            print(f"computes: {', '.join(sorted(hosts))}")
            return
        # A compute is known once it has written to the database, a moment after its pod is ready.
        if time.monotonic() > deadline:
            break
        time.sleep(PAUSE)
    sys.exit("no compute has registered: the log of the nova-compute pods says why; where no node is labelled for computes, set manifests.job_cell_setup to false")


main()
