{{/*
What the daemons share. Objects bear Rook's names and labels, so that what finds its way at Rook's
finds it here, too.
*/}}

{{/* Letters of the monitors, by node: a, b, c. (context) */}}
{{- define "ceph.monitors" -}}
{{- $count := len .Values.nodes -}}
{{- if not (has $count (list 1 3)) -}}
{{- fail (printf "nodes: one or three names of nodes are wanted, not %d" $count) -}}
{{- end -}}
{{- ternary "a" "a,b,c" (eq $count 1) -}}
{{- end -}}

{{/* Rook's labels of a daemon. (context type id) */}}
{{- define "ceph.labels" -}}
{{- $type := index . 1 -}}
{{- include "toolkit.labels" (list (index . 0) "ceph" $type) }}
app: rook-ceph-{{ $type }}
rook_cluster: {{ (index . 0).Release.Namespace }}
ceph_daemon_type: {{ $type }}
ceph_daemon_id: {{ index . 2 | quote }}
{{- if eq $type "mon" }}
mon: {{ index . 2 }}
mon_cluster: {{ (index . 0).Release.Namespace }}
{{- end }}
{{- end -}}

{{/*
A Deployment of one daemon. Keys of the dict: context, type, id, name, container, account, node (or
none), claim (name or none).
*/}}
{{- define "ceph.deployment" -}}
{{- $context := .context -}}
{{- $labels := list $context .type .id -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "ceph.labels" $labels | nindent 4 }}
spec:
  replicas: 1
  revisionHistoryLimit: 3
  # Two of one name, on one folder, must never be.
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "ceph.labels" $labels | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "ceph.labels" $labels | nindent 8 }}
      annotations:
        kubectl.kubernetes.io/default-container: {{ .container }}
        {{- if ne .type "tools" }}
        config-hash: {{ include "toolkit.hash" (list $context "configmap-override.yaml") }}
        {{- end }}
    spec:
      serviceAccountName: {{ .account }}
      terminationGracePeriodSeconds: {{ $context.Values.pod.lifecycle.termination_grace_period.ceph.timeout }}
      {{- include "toolkit.security.pod" (list $context "ceph") | nindent 6 }}
      {{- with .node }}
      nodeSelector:
        kubernetes.io/hostname: {{ . | quote }}
      {{- end }}
      {{- $tolerations := ternary $context.Values.pod.tolerations.ceph.tolerations (list) $context.Values.pod.tolerations.ceph.enabled }}
      {{- if not .node }}
      {{- /* Nothing of it is on the node: where that is lost, another takes over at once, as with Rook's. */ -}}
      {{- range $lost := list "unreachable" "not-ready" }}
      {{- $tolerations = append $tolerations (dict "key" (printf "node.kubernetes.io/%s" $lost) "operator" "Exists" "effect" "NoExecute" "tolerationSeconds" 5) }}
      {{- end }}
      {{- end }}
      {{- with $tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      initContainers:
        {{- with include "toolkit.wait" (list $context .type) }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- include "toolkit.agent" $context | nindent 8 }}
      containers:
        - name: {{ .container }}
          {{- include "toolkit.image" (list $context "ceph") | nindent 10 }}
          command: [/opt/landfall/bin/landfall-agent, ceph, {{ .type }}]
          env:
            - name: NAMESPACE
              valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
            - name: MONITORS
              value: {{ include "ceph.monitors" $context }}
            {{- if ne .type "tools" }}
            - name: DAEMON_ID
              value: {{ .id | quote }}
            - name: ROOK_POD_IP
              valueFrom: {fieldRef: {fieldPath: status.podIP}}
            {{- end }}
            {{- if eq .type "osd" }}
            - name: CRUSH_HOST
              value: {{ .node | quote }}
            {{- end }}
          {{- $ask := printf "exec: {command: [/opt/landfall/bin/landfall-agent, ceph, probe, %s]}" .type }}
          {{- $probes := index (index $context.Values.pod.probes .type) .type }}
          {{- range $probe := list "startup" "readiness" "liveness" }}
          {{- if hasKey $probes $probe }}
          {{- $do := ternary (replace $.type "alive" $ask) $ask (eq $probe "liveness") }}
          {{- include "toolkit.probe" (list $context $.type $.type $probe $do) | nindent 10 }}
          {{- end }}
          {{- end }}
          {{- include "toolkit.resources" (list $context (index $context.Values.pod.resources .type)) | nindent 10 }}
          {{- include "toolkit.security.container" (list $context "ceph" .type) | nindent 10 }}
          volumeMounts:
            - name: agent
              mountPath: /opt/landfall/bin
              readOnly: true
            - name: run
              mountPath: /run/ceph
            - name: etc
              mountPath: /etc/ceph
              {{- if ne .type "tools" }}
              readOnly: true
              {{- end }}
            {{- if .claim }}
            - name: data
              mountPath: /var/lib/ceph/{{ .type }}
            {{- else }}
            - name: home
              mountPath: /var/lib/ceph
            {{- end }}
      volumes:
        - name: agent
          emptyDir: {}
        # Keys pass through it.
        - name: run
          emptyDir:
            medium: Memory
        {{- if eq .type "tools" }}
        # In memory, since the administrator's key is in it.
        - name: etc
          emptyDir:
            medium: Memory
        {{- else }}
        - name: etc
          configMap:
            name: rook-config-override
            items:
              - {key: config, path: ceph.conf}
        {{- end }}
        {{- if .claim }}
        - name: data
          persistentVolumeClaim:
            claimName: {{ .claim }}
        {{- else }}
        - name: home
          emptyDir:
            medium: Memory
        {{- end }}
{{- end -}}

{{/* The folder of a daemon. `helm uninstall` leaves it. (context name size) */}}
{{- define "ceph.claim" -}}
{{- $volume := (index . 0).Values.volume -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ index . 1 }}
  namespace: {{ (index . 0).Release.Namespace }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: {{ index . 2 }}
  {{- if ne $volume.class_name "default" }}
  storageClassName: {{ $volume.class_name }}
  {{- end }}
{{- end -}}
