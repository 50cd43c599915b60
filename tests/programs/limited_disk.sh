# Run a command in a mount namespace where the folder $1 is a file system of 64 kB.
# Afterwards copy the content of that folder ($FULL_FOLDER) to $COPY_TO.
set -e
mount -t tmpfs -o size=64k tmpfs "$1"
shift
status=0
"$@" || status=$?
cp -r "$FULL_FOLDER"/. "$COPY_TO"
exit $status
