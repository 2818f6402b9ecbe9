{{/* glance-api.conf: what is known elsewhere, and the values over it. */}}
{{- define "glance.conf" -}}
{{- $store := ternary "rbd" "file" (eq .Values.storage "rbd") -}}
{{- $known := dict
  "DEFAULT" (dict "enabled_backends" (printf "%s:%s" $store $store) "public_endpoint" (include "toolkit.endpoints.url" (list "image" "public" "api" .)))
  "database" (dict "connection" (include "toolkit.endpoints.database" (list "glance" .Values.endpoints.oslo_db.path .)))
  "glance_store" (dict "default_backend" $store)
  "keystone_authtoken" (include "toolkit.authtoken" (list . "glance") | fromJson)
-}}
{{- include "toolkit.ini" (mergeOverwrite $known .Values.conf.glance) -}}
{{- end -}}

{{/* Where images are kept: the cluster and the key, or a folder. */}}
{{- define "glance.store.mounts" -}}
{{- if eq .Values.storage "rbd" -}}
{{- include "toolkit.ceph.mount" .Values.conf.glance.rbd.rbd_store_ceph_conf }}
{{- else -}}
- name: images
  mountPath: {{ .Values.conf.glance.file.filesystem_store_datadir }}
{{- end -}}
{{- end -}}

{{- define "glance.store.volumes" -}}
{{- if eq .Values.storage "rbd" -}}
{{- include "toolkit.ceph.volume" (list .Values.ceph_client.configmap (dict .Values.conf.glance.rbd.rbd_store_user .Values.secrets.rbd)) }}
{{- else if eq .Values.storage "pvc" -}}
- name: images
  persistentVolumeClaim:
    claimName: glance-images
{{- else -}}
- name: images
  emptyDir: {}
{{- end -}}
{{- end -}}
