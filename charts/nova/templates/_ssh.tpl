{{/*
What computes log in to one another with, as YAML of file to text. Nothing is taken from the container's own settings:
`config` is the client's, `sshd_config` the server's. (context)
*/}}
{{- define "nova.ssh.files" -}}
{{- with .Values.network.ssh -}}
{{- $public := required "network.ssh.public_key: there is no default; computes that log in to one another need it" .public_key | trim -}}
private-key: {{ required "network.ssh.private_key: there is no default; computes that log in to one another need it" .private_key | trim | printf "%s\n" | toJson }}
public-key: {{ printf "%s\n" $public | toJson }}
authorized_keys: {{ printf "restrict,from=\"%s\" %s\n" .from_subnet $public | toJson }}
known_hosts: {{ printf "* %s\n" $public | toJson }}
config: |
  Host *
    Port {{ .port }}
    User root
    IdentityFile /etc/nova-ssh/private-key
    IdentitiesOnly yes
    GlobalKnownHostsFile /etc/nova-ssh/known_hosts
    UserKnownHostsFile none
    StrictHostKeyChecking yes
    UpdateHostKeys no
    ConnectTimeout 10
sshd_config: |
  Port {{ .port }}
  HostKey /etc/nova-ssh/private-key
  AuthorizedKeysFile /etc/nova-ssh/authorized_keys
  # The folder of a Secret is everybody's to write in by its mode, and nobody's but this container's to see.
  StrictModes no
  AllowUsers root
  PermitRootLogin prohibit-password
  PasswordAuthentication no
  KbdInteractiveAuthentication no
  UsePAM no
  PidFile none
  Subsystem sftp internal-sftp
{{- end -}}
{{- end -}}
