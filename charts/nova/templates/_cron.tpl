{{/* Maps computes that came later, should the scheduler not do it by itself. (dict of toolkit.job) */}}
{{- define "nova.cron.cell-setup" -}}
{{- $context := .context -}}
{{- $job := $context.Values.jobs.cell_setup -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nova-cell-setup
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "toolkit.labels" (list $context "nova" "cell-setup") | nindent 4 }}
spec:
  schedule: {{ $job.cron | quote }}
  startingDeadlineSeconds: {{ $job.starting_deadline }}
  # Two of them would map the same host at once.
  concurrencyPolicy: Forbid
  successfulJobsHistoryLimit: {{ $job.history.success }}
  failedJobsHistoryLimit: {{ $job.history.failed }}
  jobTemplate:
    spec:
      backoffLimit: 4
      template:
        {{- include "toolkit.job.pod" . | nindent 8 }}
{{- end -}}
