{{/* neutron.conf of agents: no database, and no account in Keystone. */}}
{{- define "neutron.agent.conf" -}}
{{- $known := dict
  "DEFAULT" (dict "transport_url" (include "toolkit.endpoints.transport" (list "neutron" .)))
-}}
{{- include "toolkit.ini" (omit (mergeOverwrite $known .Values.conf.neutron) "database" "keystone_authtoken" "nova" "oslo_policy" "placement") -}}
{{- end -}}

{{/* Neutron's own account, by which it tells Nova of ports. (context), as JSON. */}}
{{- define "neutron.nova" -}}
{{- $auth := .Values.endpoints.identity.auth.neutron -}}
{{- toJson (dict
  "auth_type" "password"
  "auth_url" (include "toolkit.endpoints.url" (list "identity" "internal" "api" .))
  "password" (include "toolkit.endpoints.password" (list "identity" "neutron" .))
  "project_domain_name" $auth.project_domain_name
  "project_name" $auth.project_name
  "region_name" $auth.region_name
  "user_domain_name" $auth.user_domain_name
  "username" $auth.username) -}}
{{- end -}}

{{/* neutron.conf of the server: what is known elsewhere, and the values over it. */}}
{{- define "neutron.conf" -}}
{{- $known := dict
  "DEFAULT" (dict
    "bind_host" "0.0.0.0"
    "bind_port" (include "toolkit.endpoints.port" (list "network" "service" "api" .))
    "transport_url" (include "toolkit.endpoints.transport" (list "neutron" .)))
  "database" (dict "connection" (include "toolkit.endpoints.database" (list "neutron" .Values.endpoints.oslo_db.path .)))
  "keystone_authtoken" (fromJson (include "toolkit.authtoken" (list . "neutron")))
  "nova" (fromJson (include "neutron.nova" .))
-}}
{{- include "toolkit.ini" (mergeOverwrite $known .Values.conf.neutron) -}}
{{- end -}}

{{- define "neutron.metadata.conf" -}}
{{- $known := dict "DEFAULT" (dict
  "nova_metadata_host" (include "toolkit.endpoints.host" (list "compute_metadata" "internal" .))
  "nova_metadata_port" (include "toolkit.endpoints.port" (list "compute_metadata" "internal" "metadata" .)))
-}}
{{- include "toolkit.ini" (mergeOverwrite $known .Values.conf.metadata_agent) -}}
{{- end -}}

{{/* The files that the server and its Jobs read, over those of the image; its api-paste.ini stays. */}}
{{- define "neutron.etc.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: state
  mountPath: /var/lib/neutron
- name: files
  mountPath: /etc/neutron/neutron.conf
  subPath: neutron.conf
  readOnly: true
- name: files
  mountPath: /etc/neutron/plugins/ml2/ml2_conf.ini
  subPath: ml2_conf.ini
  readOnly: true
- name: files
  mountPath: {{ .Values.conf.neutron.oslo_policy.policy_file }}
  subPath: policy.yaml
  readOnly: true
{{- end -}}

{{- define "neutron.etc.volumes" -}}
- name: tmp
  emptyDir: {}
- name: state
  emptyDir: {}
- name: files
  secret:
    secretName: neutron-etc
    defaultMode: 0440
{{- end -}}
