# Whether this container's first process is connected to the broker at port $1, by the kernel's own tables: an answer
# for a process that serves nobody by itself, and for next to nothing.
port=$(printf %04X "$1")
sockets=$(awk -v port="$port" '$4 == "01" && substr($3, length($3) - 3) == port { print "socket:[" $10 "]" }' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
open=$(ls -l /proc/1/fd)
for socket in $sockets; do
  case $open in
    *"$socket"*) exit 0 ;;
  esac
done
echo "no connection to the broker (port $1)"
exit 1
