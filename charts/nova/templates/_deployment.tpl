{{/*
A Deployment of the control plane. Keys of the dict: context; name; component (its label); key (of labels, replicas
and resources); needs (of dependencies); tag; command (a YAML list); container (of the security context); and where
there are any: port ({name, number}); ask (YAML of what the probes ask); env (YAML of more variables); reads (text of
files that it reads beside nova.conf).
*/}}
{{- define "nova.deployment" -}}
{{- $context := .context -}}
{{- include "toolkit.account" (list $context .needs .name list) }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "toolkit.labels" (list $context "nova" .component) | nindent 4 }}
spec:
  replicas: {{ index $context.Values.pod.replicas .key }}
  {{- include "toolkit.strategy" $context | nindent 2 }}
  selector:
    matchLabels:
      {{- include "toolkit.labels" (list $context "nova" .component) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "toolkit.labels" (list $context "nova" .component) | nindent 8 }}
      annotations:
        configmap-etc-hash: {{ include "nova.hash" (list $context .key (.reads | default "")) }}
    spec:
      serviceAccountName: {{ .name }}
      terminationGracePeriodSeconds: {{ (index $context.Values.pod.lifecycle.termination_grace_period .key).timeout }}
      {{- include "toolkit.security.pod" (list $context "nova") | nindent 6 }}
      {{- include "toolkit.apart" (list $context "nova" .component) | nindent 6 }}
      {{- include "toolkit.placement" (list $context "nova" .component .key) | nindent 6 }}
      {{- with include "toolkit.wait" (list $context .needs) }}
      initContainers:
        {{- . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .name }}
          {{- include "toolkit.image" (list $context .tag) | nindent 10 }}
          command: {{ .command }}
          env:
            # By the node: services are listed by it, and a new pod takes the place of the old one there.
            - name: OS_DEFAULT__HOST
              valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
            {{- with .env }}
            {{- . | nindent 12 }}
            {{- end }}
          {{- with .port }}
          ports:
            - name: {{ .name }}
              containerPort: {{ .number }}
          {{- end }}
          {{- range $type := list "startup" "readiness" "liveness" }}
          {{- include "toolkit.probe" (list $context $.probes "default" $type $.ask) | nindent 10 }}
          {{- end }}
          {{- include "toolkit.resources" (list $context (index $context.Values.pod.resources .key)) | nindent 10 }}
          {{- include "toolkit.security.container" (list $context "nova" .container) | nindent 10 }}
          volumeMounts:
            {{- include "nova.etc.mounts" $context | nindent 12 }}
            {{- include "toolkit.bin.mounts" "nova" | nindent 12 }}
      volumes:
        {{- include "nova.etc.volumes" $context | nindent 8 }}
        {{- include "toolkit.bin.volumes" "nova" | nindent 8 }}
{{- end -}}

{{/* What is asked of a program without an API: whether it is connected to the broker. (context) */}}
{{- define "nova.connected" -}}
exec: {command: [sh, /opt/landfall/connected.sh, {{ include "toolkit.endpoints.port" (list "oslo_messaging" "internal" "amqp" .) | quote }}]}
{{- end -}}

{{/*
An API sleeps between requests, its heartbeats to the broker too: it does without, or the broker would hang up.
*/}}
{{- define "nova.api.env" -}}
- name: OS_OSLO_MESSAGING_RABBIT__HEARTBEAT_TIMEOUT_THRESHOLD
  value: "0"
{{- end -}}
