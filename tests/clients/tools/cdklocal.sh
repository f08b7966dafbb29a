# cdklocal does what cdk does, at the same endpoint; it demands that the endpoint of S3 is named too.
export CDK=cdklocal AWS_ENDPOINT_URL_S3=$AWS_ENDPOINT_URL
. "$TOOLS/cdk.sh"
