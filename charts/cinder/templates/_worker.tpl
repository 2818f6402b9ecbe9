{{/*
Deployment of what has no API. Keys of the dict: context, component, ceph (keyrings by client; none: it does not see
Ceph), alone (stopped before its next one starts).
*/}}
{{- define "cinder.worker" -}}
{{- $context := .context -}}
{{- $component := .component -}}
{{- $name := printf "cinder-%s" $component -}}
{{- $application := printf "cinder_%s" $component -}}
{{- include "toolkit.account" (list $context $component $name list) }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "toolkit.labels" (list $context "cinder" $component) | nindent 4 }}
spec:
  replicas: {{ index $context.Values.pod.replicas $component }}
  {{- if .alone }}
  revisionHistoryLimit: {{ $context.Values.pod.lifecycle.upgrades.deployments.revision_history }}
  strategy:
    type: Recreate
  {{- else }}
  {{- include "toolkit.strategy" $context | nindent 2 }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "toolkit.labels" (list $context "cinder" $component) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "toolkit.labels" (list $context "cinder" $component) | nindent 8 }}
      annotations:
        configmap-etc-hash: {{ include "toolkit.hash" (list $context "secret-etc.yaml") }}
    spec:
      serviceAccountName: {{ $name }}
      terminationGracePeriodSeconds: {{ (index $context.Values.pod.lifecycle.termination_grace_period $component).timeout }}
      {{- include "toolkit.security.pod" (list $context $application) | nindent 6 }}
      {{- include "toolkit.apart" (list $context "cinder" $component) | nindent 6 }}
      {{- include "toolkit.placement" (list $context "cinder" $component $component) | nindent 6 }}
      {{- with include "toolkit.wait" (list $context $component) }}
      initContainers:
        {{- . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ $name }}
          {{- include "toolkit.image" (list $context $application) | nindent 10 }}
          command:
            - {{ $name }}
            - --config-file=/etc/cinder/cinder.conf
            - --config-file=/etc/cinder/conf/backends.conf
          env:
            - name: HOME
              value: /tmp
          {{- include "toolkit.resources" (list $context (index $context.Values.pod.resources $component)) | nindent 10 }}
          {{- include "toolkit.security.container" (list $context $application $application) | nindent 10 }}
          volumeMounts:
            {{- include "cinder.etc.mounts" $context | nindent 12 }}
            {{- if .ceph }}
            {{- include "toolkit.ceph.mount" "/etc/ceph/ceph.conf" | nindent 12 }}
            {{- end }}
      volumes:
        {{- include "cinder.etc.volumes" $context | nindent 8 }}
        {{- with .ceph }}
        {{- include "toolkit.ceph.volume" (list $context.Values.ceph_client.configmap .) | nindent 8 }}
        {{- end }}
{{- end -}}
