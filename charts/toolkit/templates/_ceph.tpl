{{/*
Clients of Ceph: the folder with its configuration and keys, and the proof that a pool can be used.
*/}}

{{/*
Volume `ceph`: ceph.conf and keyrings, each from the entry `keyring` of its Secret. A whole folder and no single
files (subPath), so that a renewed ceph.conf is seen without a restart. (configmap {user: secret})
*/}}
{{- define "toolkit.ceph.volume" -}}
- name: ceph
  projected:
    defaultMode: 0440
    sources:
      - configMap:
          name: {{ index . 0 }}
      {{- range $user, $secret := index . 1 }}
      - secret:
          name: {{ $secret }}
          items:
            - key: keyring
              path: ceph.client.{{ $user }}.keyring
      {{- end }}
{{- end -}}

{{/* (path of ceph.conf) */}}
{{- define "toolkit.ceph.mount" -}}
- name: ceph
  mountPath: {{ dir . }}
  readOnly: true
{{- end -}}

{{/*
Proves that a service can keep RBD images in its pool, before it says that it is ready. Run by Jobs
`<service>-storage-init`; `<application>-bin` must hold it as storage-init.py.
*/}}
{{- define "toolkit.storage-init.py" -}}
"""Proves that images can be kept in the pool, before the service says that it is ready.

The pool and the key are made by whoever runs the cluster; here they are only used, as the service will:
CEPH_CONF, RBD_POOL, RBD_USER; SERVICE names it. What is wrong is said in seconds; librados would wait five minutes.
"""

import os
import sys

import rados
import rbd

SECONDS = "15"
PROBE = f"landfall-probe-{os.uname().nodename}"


def main():
    pool, user, conf, service = (os.environ[name] for name in ("RBD_POOL", "RBD_USER", "CEPH_CONF", "SERVICE"))
    limits = {name: SECONDS for name in ("client_mount_timeout", "rados_mon_op_timeout", "rados_osd_op_timeout")}
    try:
        cluster = rados.Rados(conffile=conf, rados_id=user, conf=limits)
        cluster.connect(timeout=int(SECONDS))
    except rados.ObjectNotFound:
        sys.exit(f"no key of client.{user} in /etc/ceph: the Secret must have the entry `keyring`, with [client.{user}]")
    except (rados.PermissionError, rados.PermissionDeniedError):
        sys.exit(f"the cluster refuses the key of client.{user}: `ceph auth get client.{user}` must show the Secret's key")
    except (rados.TimedOut, rados.Error) as error:
        sys.exit(f"no monitor of {conf} answers ({error}): are its addresses the present ones? `landfall up ceph-config` renews them")
    try:
        ioctx = cluster.open_ioctx(pool)
    except rados.ObjectNotFound:
        sys.exit(f"the cluster has no pool {pool}: `landfall up {service}` makes it, or `ceph osd pool create {pool}`")
    try:
        images = rbd.RBD().list(ioctx)
        if PROBE in images:
            rbd.RBD().remove(ioctx, PROBE)
        rbd.RBD().create(ioctx, PROBE, 4 << 20)
        rbd.RBD().remove(ioctx, PROBE)
    except (rbd.PermissionError, rbd.PermissionDeniedError, rados.PermissionError):
        sys.exit(
            f"client.{user} may not write in {pool}: it needs the caps "
            f"mon 'profile rbd', mgr 'profile rbd pool={pool}', osd 'profile rbd pool={pool}'"
        )
    except (rbd.Error, rados.Error) as error:
        sys.exit(f"the pool {pool} does not answer in {SECONDS} s ({error}): see `ceph -s` for its OSDs")
    print(f"client.{user} reads and writes in the pool {pool}, which holds {len(images)} images")
    ioctx.close()
    cluster.shutdown()


main()
{{- end -}}

{{/* Container of such a Job. Keys of the dict: context, application, tag, conf (path of ceph.conf), pool, user. */}}
{{- define "toolkit.storage-init.container" -}}
{{- include "toolkit.image" (list .context .tag) }}
command: [python3, /opt/landfall/storage-init.py]
env:
  - name: CEPH_CONF
    value: {{ .conf }}
  - name: RBD_POOL
    value: {{ .pool }}
  - name: RBD_USER
    value: {{ .user }}
  - name: SERVICE
    value: {{ .application }}
volumeMounts:
  {{- include "toolkit.bin.mounts" . | nindent 2 }}
  {{- include "toolkit.ceph.mount" .conf | nindent 2 }}
{{- end -}}
