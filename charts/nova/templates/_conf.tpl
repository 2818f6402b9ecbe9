{{/* Nova's account in Keystone, as the sections by which it asks other services have it. (context), as JSON. */}}
{{- define "nova.account" -}}
{{- $auth := .Values.endpoints.identity.auth.nova -}}
{{- toJson (dict
  "auth_type" "password"
  "auth_url" (include "toolkit.endpoints.url" (list "identity" "internal" "api" .))
  "password" (include "toolkit.endpoints.password" (list "identity" "nova" .))
  "project_domain_name" $auth.project_domain_name
  "project_name" $auth.project_name
  "user_domain_name" $auth.user_domain_name
  "username" $auth.username) -}}
{{- end -}}

{{/* What all of Nova's programs know from elsewhere. (context), as JSON. */}}
{{- define "nova.known" -}}
{{- $region := .Values.endpoints.identity.auth.nova.region_name -}}
{{- $account := fromJson (include "nova.account" .) -}}
{{- $inside := dict "region_name" $region "valid_interfaces" "internal" -}}
{{- toJson (dict
  "DEFAULT" (dict "transport_url" (include "toolkit.endpoints.transport" (list "nova" .)))
  "cinder" (merge (dict "os_region_name" $region) $account)
  "glance" $inside
  "neutron" (merge (dict) $inside $account)
  "placement" (merge (dict) $inside $account)
  "service_user" $account
  "vnc" (dict
    "novncproxy_base_url" (include "toolkit.endpoints.url" (list "compute_novnc_proxy" "public" "novnc_proxy" .))
    "novncproxy_port" (include "toolkit.endpoints.port" (list "compute_novnc_proxy" "internal" "novnc_proxy" .)))) -}}
{{- end -}}

{{/* nova.conf of the control plane: what is known elsewhere, and the values over it. (context), as JSON. */}}
{{- define "nova.all" -}}
{{- $databases := dict
  "api_database" (dict "connection" (include "toolkit.endpoints.database" (list "nova" .Values.endpoints.oslo_db_api.path .)))
  "database" (dict "connection" (include "toolkit.endpoints.database" (list "nova" .Values.endpoints.oslo_db.path .)))
  "keystone_authtoken" (fromJson (include "toolkit.authtoken" (list . "nova")))
-}}
{{- toJson (mergeOverwrite (fromJson (include "nova.known" .)) $databases (deepCopy .Values.conf.nova)) -}}
{{- end -}}

{{- define "nova.conf" -}}
{{- include "toolkit.ini" (fromJson (include "nova.all" .)) -}}
{{- end -}}

{{/*
A digest of what one program reads, so that a setting of the scheduler's makes no other start anew.
(context key more), where key is that of labels, replicas and resources, and more is text that it reads beside nova.conf.
*/}}
{{- define "nova.hash" -}}
{{- $own := dict "conductor" (list "conductor") "novncproxy" (list "console") "scheduler" (list "filter_scheduler" "scheduler") -}}
{{- $conf := fromJson (include "nova.all" (index . 0)) -}}
{{- range $key, $sections := $own -}}
{{- if ne $key (index $ 1) -}}
{{- range $sections -}}
{{- $_ := unset $conf . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- print (toJson $conf) (index . 2) | sha256sum -}}
{{- end -}}

{{/* nova.conf of computes: no database, and not by what metadata is given out. */}}
{{- define "nova.compute.conf" -}}
{{- $all := omit (mergeOverwrite (fromJson (include "nova.known" .)) (deepCopy .Values.conf.nova))
  "api" "api_database" "conductor" "database" "filter_scheduler" "keystone_authtoken" "oslo_middleware" "oslo_policy" "scheduler" "wsgi" -}}
{{- $_ := set $all "neutron" (omit $all.neutron "metadata_proxy_shared_secret" "service_metadata_proxy") -}}
{{- include "toolkit.ini" $all -}}
{{- end -}}

{{/* uwsgi.ini of the metadata API, whose port has a name of its own. */}}
{{- define "nova.metadata.uwsgi" -}}
{{- $port := include "toolkit.endpoints.port" (list "compute_metadata" "service" "metadata" .) -}}
{{- include "toolkit.ini" (mergeOverwrite (dict "uwsgi" (dict "http-socket" (printf "0.0.0.0:%s" $port))) .Values.conf.nova_metadata_uwsgi) -}}
{{- end -}}

{{/* The files that the control plane and its Jobs read, over those of the image; its api-paste.ini stays. */}}
{{- define "nova.etc.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: state
  mountPath: /var/lib/nova
{{- range $file := list "nova.conf" "nova-api-uwsgi.ini" "nova-metadata-uwsgi.ini" "policy.yaml" }}
- name: files
  mountPath: /etc/nova/{{ $file }}
  subPath: {{ $file }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "nova.etc.volumes" -}}
- name: tmp
  emptyDir: {}
- name: state
  emptyDir: {}
- name: files
  secret:
    secretName: nova-etc
    defaultMode: 0440
{{- end -}}
