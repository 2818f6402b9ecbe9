{{/*
Jobs that every OpenStack service has, each with its account: its database, and its entries in Keystone.
What they do is idempotent, so that each upgrade runs them again.
*/}}

{{/*
Makes a service's databases and its account, as often as wanted; runs in any image with PyMySQL.
`<application>-bin` must hold it as db-init.py.
*/}}
{{- define "toolkit.db-init.py" -}}
"""Makes a service's databases and its account, as often as wanted.

DB_ADMIN and DB_SERVICE are URLs (mysql+pymysql://user:password@host:port/database), DB_MORE names further databases
of the same account. An account that exists gets the password anew, so that a changed Secret is taken over.
"""

import os
import sys
from urllib.parse import unquote, urlsplit

import pymysql


def main():
    admin, service = (urlsplit(os.environ[name]) for name in ("DB_ADMIN", "DB_SERVICE"))
    databases = [service.path.lstrip("/"), *os.environ.get("DB_MORE", "").split()]
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
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY {connection.escape(password)}")
        cursor.execute(f"ALTER USER {account} IDENTIFIED BY {connection.escape(password)}")
        for database in databases:
            name = "`" + database.replace("`", "``") + "`"
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
            # An underscore would stand for any letter, and let one service into another's database.
            pattern = name.replace("_", "\\_")
            cursor.execute(f"GRANT ALL PRIVILEGES ON {pattern}.* TO {account}")
            print(f"database {database} is there, and {user} may use it")


main()
{{- end -}}

{{- define "toolkit.jobs.db-init.container" -}}
{{- $context := .context -}}
{{- include "toolkit.image" (list $context "db_init") }}
command: [python3, /opt/landfall/db-init.py]
env:
  - name: DB_ADMIN
    valueFrom: {secretKeyRef: {name: {{ $context.Values.secrets.oslo_db.admin }}, key: DB_CONNECTION}}
  - name: DB_SERVICE
    valueFrom: {secretKeyRef: {name: {{ index $context.Values.secrets.oslo_db .application }}, key: DB_CONNECTION}}
  {{- with .databases }}
  - name: DB_MORE
    value: {{ join " " . | replace "/" "" | quote }}
  {{- end }}
volumeMounts:
  {{- include "toolkit.bin.mounts" . | nindent 2 }}
{{- end -}}

{{- define "toolkit.jobs.db-sync.container" -}}
{{- include "toolkit.image" (list .context (printf "%s_db_sync" .application)) }}
command: {{ .command }}
{{- with .env }}
env:
  {{- . | nindent 2 }}
{{- end }}
volumeMounts:
  {{- .mounts | default (include "toolkit.etc.mounts" .application) | nindent 2 }}
{{- end -}}

{{/*
Jobs `<application>-db-init` and `-db-sync`, by `manifests`. Keys of the dict: context, application,
command (a YAML list: what brings the schema up to date), and where there are any: mounts and volumes where
/etc/<application> is not what toolkit.etc makes; env (YAML of a list) of db-sync; databases (paths of further ones).
*/}}
{{- define "toolkit.jobs.database" -}}
{{- $context := .context -}}
{{- $application := .application -}}
{{- $documents := list -}}
{{- if $context.Values.manifests.job_db_init -}}
{{- $job := dict "context" $context "application" $application "component" "db-init" "weight" -5 -}}
{{- $_ := set $job "container" (include "toolkit.jobs.db-init.container" .) -}}
{{- $_ := set $job "volumes" (include "toolkit.bin.volumes" $application) -}}
{{- $documents = append $documents (include "toolkit.account" (list $context "db_init" (printf "%s-db-init" $application) list)) -}}
{{- $documents = append $documents (include "toolkit.job" $job) -}}
{{- end -}}
{{- if $context.Values.manifests.job_db_sync -}}
{{- $job := dict "context" $context "application" $application "component" "db-sync" "weight" -4 -}}
{{- $_ := set $job "container" (include "toolkit.jobs.db-sync.container" .) -}}
{{- $_ := set $job "volumes" (.volumes | default (include "toolkit.etc.volumes" $application)) -}}
{{- $documents = append $documents (include "toolkit.account" (list $context "db_sync" (printf "%s-db-sync" $application) list)) -}}
{{- $documents = append $documents (include "toolkit.job" $job) -}}
{{- end -}}
{{- join "\n---\n" $documents -}}
{{- end -}}

{{/* What registers with Keystone: the agent, as the administrator. (context application type component) */}}
{{- define "toolkit.jobs.keystone.container" -}}
{{- $context := index . 0 -}}
{{- $application := index . 1 -}}
{{- $type := index . 2 -}}
{{- $component := index . 3 -}}
{{- include "toolkit.image" (list $context (replace "-" "_" $component)) }}
command: [landfall-agent, keystone, {{ get (dict "ks-service" "register-service" "ks-user" "register-user" "ks-endpoints" "register-endpoints") $component }}]
envFrom:
  - secretRef: {name: {{ $context.Values.secrets.identity.admin }}}
  {{- if eq $component "ks-user" }}
  - prefix: SERVICE_
    secretRef: {name: {{ index $context.Values.secrets.identity $application }}}
  {{- end }}
env:
  {{- if eq $component "ks-user" }}
  {{- $role := (index $context.Values.endpoints.identity.auth $application).role }}
  - name: SERVICE_OS_SERVICE_NAME
    value: {{ $application }}
  - name: SERVICE_OS_ROLES
    value: {{ kindIs "slice" $role | ternary $role (list $role) | join "," | quote }}
  {{- else }}
  - name: OS_SERVICE_NAME
    value: {{ (index $context.Values.endpoints $type).name }}
  - name: OS_SERVICE_TYPE
    value: {{ replace "_" "-" $type }}
  {{- end }}
  {{- if eq $component "ks-endpoints" }}
  {{- range $interface := list "admin" "internal" "public" }}
  - name: OS_SERVICE_ENDPOINT_{{ upper $interface }}
    value: {{ include "toolkit.endpoints.url" (list $type $interface "api" $context) | quote }}
  {{- end }}
  {{- end }}
{{- end -}}

{{/*
Jobs `<application>-ks-service`, `-ks-endpoints` and `-ks-user`, by `manifests`: the service by name
and type, its endpoints, and the account of `endpoints.identity.auth.<application>` with its roles.
(context application type)
*/}}
{{- define "toolkit.jobs.keystone" -}}
{{- $context := index . 0 -}}
{{- $application := index . 1 -}}
{{- $documents := list -}}
{{- range $component, $weight := dict "ks-service" -3 "ks-endpoints" -2 "ks-user" -1 -}}
{{- $key := replace "-" "_" $component -}}
{{- if index $context.Values.manifests (printf "job_%s" $key) -}}
{{- $job := dict "context" $context "application" $application "component" $component "weight" $weight -}}
{{- $_ := set $job "container" (include "toolkit.jobs.keystone.container" (append $ $component)) -}}
{{- $documents = append $documents (include "toolkit.account" (list $context $key (printf "%s-%s" $application $component) list)) -}}
{{- $documents = append $documents (include "toolkit.job" $job) -}}
{{- end -}}
{{- end -}}
{{- join "\n---\n" $documents -}}
{{- end -}}
