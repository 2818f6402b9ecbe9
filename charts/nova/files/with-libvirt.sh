# Keeps nova-compute no older than the libvirt of its node. When libvirt goes, Nova disables the compute, and enables it
# when libvirt is back, each by one call to nova-conductor; a call that is lost meanwhile is made no second time, and
# the compute stays disabled. A nova-compute that starts makes it. Which libvirt is meant the socket's inode tells: a
# clock may be set.
#   start COMMAND...  notes the libvirt that is there, and becomes the command
#   check             fails once there is another one; while there is none, that is for libvirt to mend
set -u
socket=/run/libvirt/libvirt-sock
note=/tmp/libvirt-at-start
now=$(stat -c %i-%Z "$socket" 2>/dev/null)
case $1 in
  start)
    shift
    echo "$now" >"$note"
    exec "$@"
    ;;
  check)
    [ -z "$now" ] || [ "$now" = "$(cat "$note")" ] && exit 0
    echo "libvirt has started anew since nova-compute did, which starts anew for it"
    exit 1
    ;;
esac
