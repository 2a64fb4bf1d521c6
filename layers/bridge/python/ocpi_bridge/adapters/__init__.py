"""What implements the ports: DynamoDB, SQS, Secrets Manager, the partner's HTTP and the CSMS's."""
