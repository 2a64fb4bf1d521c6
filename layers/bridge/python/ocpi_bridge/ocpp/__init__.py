"""OCPP payloads as pure functions: from a charger command to a request payload, from a response payload to an answer."""
