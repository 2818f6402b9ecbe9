{{/*
An agent's DaemonSet. Keys of the dict: context; key (of dependencies, lifecycle and resources), name (dhcp, l3,
metadata, ovs), tag, label, files (those of the Secret it reads), prefixes (of the namespaces it makes; none: it is
not run anew with the switch), switch (it reads what was decided of this node's switch), probes (YAML).
*/}}
{{- define "neutron.agent" -}}
{{- $context := .context -}}
{{- $component := printf "neutron-%s-agent" .name -}}
{{- $application := replace "-" "_" $component -}}
{{- $key := ternary "ovs_agent" .name (eq .name "ovs") -}}
{{- include "toolkit.account" (list $context $key $component list) }}
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: {{ $component }}-default
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "toolkit.labels" (list $context "neutron" $component) | nindent 4 }}
spec:
  {{- include "toolkit.daemonset.strategy" (list $context (printf "%s_agent" .name)) | nindent 2 }}
  selector:
    matchLabels:
      {{- include "toolkit.labels" (list $context "neutron" $component) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "toolkit.labels" (list $context "neutron" $component) | nindent 8 }}
      annotations:
        configmap-etc-hash: {{ include "toolkit.hash" (list $context "secret-etc.yaml") }}
    spec:
      serviceAccountName: {{ $component }}
      hostNetwork: true
      dnsPolicy: ClusterFirstWithHostNet
      terminationGracePeriodSeconds: {{ $context.Values.pod.lifecycle.termination_grace_period.agent.timeout }}
      {{- include "toolkit.security.pod" (list $context $application) | nindent 6 }}
      {{- include "toolkit.agent.placement" (list $context "neutron" .label) | nindent 6 }}
      initContainers:
        {{- with include "toolkit.wait" (list $context $key) }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- if .switch }}
        {{- include "toolkit.agent" $context | nindent 8 }}
        - name: neutron-agent-init
          {{- include "toolkit.image" (list $context .tag) | nindent 10 }}
          command: [/opt/landfall/bin/landfall-agent, openvswitch, agent-config, /etc/landfall/node.ini]
          {{- include "toolkit.security.container" (list $context $application "neutron_agent_init") | nindent 10 }}
          volumeMounts:
            - name: agent
              mountPath: /opt/landfall/bin
              readOnly: true
            - name: node
              mountPath: /etc/landfall
            - name: run-openvswitch
              mountPath: /run/openvswitch
        {{- end }}
      containers:
        - name: {{ $component }}
          {{- include "toolkit.image" (list $context .tag) | nindent 10 }}
          command:
            {{- if .prefixes }}
            - /opt/landfall/bin/landfall-agent
            - openvswitch
            - follow
            {{- end }}
            - neutron-{{ ternary "openvswitch" .name (eq .name "ovs") }}-agent
            - --config-file=/etc/neutron/neutron.conf
            {{- range .files }}
            - --config-file=/etc/neutron/{{ . }}
            {{- end }}
            {{- if .switch }}
            - --config-file=/etc/landfall/node.ini
            {{- end }}
          env:
            - name: HOME
              value: /tmp
            # By the node's name in Kubernetes, which is what other parts know it by.
            - name: OS_DEFAULT__HOST
              valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
            {{- with .prefixes }}
            - name: NAMESPACE_PREFIXES
              value: {{ . | quote }}
            {{- end }}
          {{- with .probes }}
          {{- . | nindent 10 }}
          {{- end }}
          {{- include "toolkit.resources" (list $context (index $context.Values.pod.resources.agent .name)) | nindent 10 }}
          {{- include "toolkit.security.container" (list $context $application "neutron_agent") | nindent 10 }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
            - name: state
              mountPath: /var/lib/neutron
            {{- range $file := prepend .files "neutron.conf" }}
            - name: files
              mountPath: /etc/neutron/{{ $file }}
              subPath: {{ $file }}
              readOnly: true
            {{- end }}
            {{- if .switch }}
            - name: agent
              mountPath: /opt/landfall/bin
              readOnly: true
            - name: node
              mountPath: /etc/landfall
              readOnly: true
            - name: run-openvswitch
              mountPath: /run/openvswitch
            # Namespaces are the node's: they outlive the agent that made them.
            - name: run-netns
              mountPath: /run/netns
              mountPropagation: Bidirectional
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: {}
        - name: files
          secret:
            secretName: neutron-agent-etc
            defaultMode: 0440
        # Namespaces' helpers reach the metadata agent by a socket in it.
        - name: state
          hostPath:
            path: /var/lib/neutron
            type: DirectoryOrCreate
        {{- if .switch }}
        - name: agent
          emptyDir: {}
        - name: node
          emptyDir: {}
        - name: run-openvswitch
          hostPath:
            path: /run/openvswitch
            type: DirectoryOrCreate
        - name: run-netns
          hostPath:
            path: /run/netns
            type: DirectoryOrCreate
        {{- end }}
{{- end -}}

{{/* The probes that values have for an agent; `do` is what all of them ask. (context agent do) */}}
{{- define "neutron.agent.probes" -}}
{{- $probes := list -}}
{{- range $type := list "startup" "readiness" "liveness" -}}
{{- $probes = append $probes (include "toolkit.probe" (list (index $ 0) (index $ 1) (index $ 1) $type (index $ 2))) -}}
{{- end -}}
{{- $probes | compact | join "\n" -}}
{{- end -}}
