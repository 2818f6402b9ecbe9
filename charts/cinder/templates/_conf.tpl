{{/* cinder.conf: what is known elsewhere, and the values over it. */}}
{{- define "cinder.conf" -}}
{{- $authtoken := include "toolkit.authtoken" (list . "cinder") | fromJson -}}
{{- $account := pick $authtoken "auth_url" "password" "project_domain_name" "project_name" "user_domain_name" "username" -}}
{{- $nova := set (deepCopy $account) "region_name" $authtoken.region_name -}}
{{- $known := dict
  "DEFAULT" (dict
    "glance_api_servers" (include "toolkit.endpoints.url" (list "image" "internal" "api" .))
    "transport_url" (include "toolkit.endpoints.transport" (list "cinder" .)))
  "database" (dict "connection" (include "toolkit.endpoints.database" (list "cinder" .Values.endpoints.oslo_db.path .)))
  "keystone_authtoken" $authtoken
  "nova" $nova
  "service_user" $account
-}}
{{- include "toolkit.ini" (mergeOverwrite $known .Values.conf.cinder) -}}
{{- end -}}

{{/* The back end that is opened by the key of the Secret `secrets.rbd.volume`. As JSON. */}}
{{- define "cinder.backend" -}}
{{- $name := .Values.ceph_client.internal_ceph_backend -}}
{{- index .Values.conf.backends $name | required (printf "conf.backends.%s: there is no such back end, and ceph_client.internal_ceph_backend names it" $name) | toJson -}}
{{- end -}}

{{/* The files of Cinder, over those of the image; its rootwrap and filters stay. (paths by name) */}}
{{- define "cinder.etc.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: state
  mountPath: {{ .Values.conf.cinder.DEFAULT.state_path }}
{{- $files := dict
  "api-paste.ini" "/etc/cinder/api-paste.ini"
  "backends.conf" "/etc/cinder/conf/backends.conf"
  "cinder-api-uwsgi.ini" "/etc/cinder/cinder-api-uwsgi.ini"
  "cinder.conf" "/etc/cinder/cinder.conf"
  "policy.yaml" .Values.conf.cinder.oslo_policy.policy_file
}}
{{- if .Values.conf.logging }}
{{- $_ := set $files "logging.conf" (.Values.conf.cinder.DEFAULT.log_config_append | default "/etc/cinder/logging.conf") }}
{{- end }}
{{- range $file, $path := $files }}
- name: files
  mountPath: {{ $path }}
  subPath: {{ $file }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "cinder.etc.volumes" -}}
- name: tmp
  emptyDir: {}
# Images on their way into volumes, too.
- name: state
  emptyDir: {}
- name: files
  secret:
    secretName: cinder-etc
    defaultMode: 0440
{{- end -}}
