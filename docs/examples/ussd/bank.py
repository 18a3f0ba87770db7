"""A USSD application with Python's standard library alone: `python bank.py`, then dial *711# or any code."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

MENU = "Dear Customer \n1. Account Balance \n2. Mini Statement"


class Bank(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps(self.reply(request["Sequence"], request["Message"])).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer)

    def reply(self, sequence, message):
        if sequence == 1:
            return {"Type": "Response", "Message": "Enter your pin", "MaskNextRoute": True}
        if sequence == 2:
            return {"Type": "Response", "Message": MENU}
        if message == "1":
            return {"Type": "Release", "Message": "Your account balance is GHS 53,743", "Mask": True}
        return {"Type": "Release", "Message": "Mini statement: none"}


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", 3000), Bank).serve_forever()
