"""What is measured, each as a program of its own: it runs under the measured Python and has only what Lambda has.

Nothing here imports anything of the repository but `ocpi_bridge`, as the layer has it. The standard library is imported
late: what a program imported before it starts its clock would be free for what it measures. Each program prints one line
of JSON; what the functions log goes nowhere.

* bare_client       `boto3.client("dynamodb")`, what everything else is compared with
* lambda_function   a function: import, first request, peak memory, then warm requests
* parsing           reading a PUT and writing its commands, without a door around it
* callback          a result on its way to a partner that keeps its connection
* peer              extrawest-ocpi under Mangum: import, first request, warm requests, callbacks
* canned_aws        DynamoDB, SQS and Secrets Manager, answered inside botocore before anything is sent
* measuring         clocks, peak memory, and the line of JSON
"""
