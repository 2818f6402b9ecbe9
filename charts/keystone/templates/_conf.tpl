{{/* keystone.conf: what is known elsewhere, and the values over it. */}}
{{- define "keystone.conf" -}}
{{- $known := dict
  "DEFAULT" (dict "public_endpoint" (trimSuffix "/v3" (include "toolkit.endpoints.url" (list "identity" "public" "api" .))))
  "cache" (dict "memcache_servers" (include "toolkit.endpoints.address" (list "oslo_cache" "internal" "memcache" .)))
  "database" (dict "connection" (include "toolkit.endpoints.database" (list "keystone" .Values.endpoints.oslo_db.path .)))
-}}
{{- if .Values.conf.logging -}}
{{- $_ := set $known.DEFAULT "log_config_append" "/etc/keystone/logging.conf" -}}
{{- end -}}
{{- include "toolkit.ini" (mergeOverwrite $known .Values.conf.keystone) -}}
{{- end -}}

{{/* The keys. Jobs make their Secrets after this chart is installed. */}}
{{- define "keystone.keys.volumes" -}}
- name: fernet-keys
  secret:
    secretName: keystone-fernet-keys
    defaultMode: 0440
    optional: true
- name: credential-keys
  secret:
    secretName: keystone-credential-keys
    defaultMode: 0440
    optional: true
{{- end -}}

{{- define "keystone.keys.mounts" -}}
- name: fernet-keys
  mountPath: {{ .Values.conf.keystone.fernet_tokens.key_repository | trimSuffix "/" }}
  readOnly: true
- name: credential-keys
  mountPath: {{ .Values.conf.keystone.credential.key_repository | trimSuffix "/" }}
  readOnly: true
{{- end -}}

{{/*
The second wait of the API: until the kubelet has put the keys, which it found absent when it made
the pod, into the mounted folder. Keystone gives up at once without them. (context)
*/}}
{{- define "keystone.keys.wait" -}}
- name: keys
  {{- include "toolkit.image" (list . "dep_check") | nindent 2 }}
  command: [kubernetes-entrypoint]
  env:
    - name: DEPENDENCY_SOCKET
      value: {{ .Values.conf.keystone.fernet_tokens.key_repository | trimSuffix "/" }}/0
  {{- include "toolkit.security.container" (list . "keystone" "keys") | nindent 2 }}
  volumeMounts:
    - name: fernet-keys
      mountPath: {{ .Values.conf.keystone.fernet_tokens.key_repository | trimSuffix "/" }}
      readOnly: true
{{- end -}}

{{/* The files of /etc/keystone, over an empty folder: the image's own are not wanted. */}}
{{- define "keystone.etc.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: etc
  mountPath: /etc/keystone
- name: files
  mountPath: /etc/keystone/keystone.conf
  subPath: keystone.conf
  readOnly: true
- name: files
  mountPath: {{ .Values.conf.keystone.oslo_policy.policy_file }}
  subPath: policy.yaml
  readOnly: true
{{- if .Values.conf.logging }}
- name: files
  mountPath: {{ .Values.conf.keystone.DEFAULT.log_config_append | default "/etc/keystone/logging.conf" }}
  subPath: logging.conf
  readOnly: true
{{- end }}
{{- end -}}

{{- define "keystone.etc.volumes" -}}
- name: tmp
  emptyDir: {}
- name: etc
  emptyDir: {}
- name: files
  secret:
    secretName: keystone-etc
    defaultMode: 0440
{{- end -}}
