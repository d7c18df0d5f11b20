# The HTTP service (service.py): slim, not root, works on a read-only file system.
#
#   docker build -t faunacheck .
#   docker run --rm --read-only --tmpfs /tmp --cap-drop ALL --memory 2g --pids-limit 256 \
#       -p 127.0.0.1:8000:8000 -e FAUNACHECK_TOKEN faunacheck
#
# -p 127.0.0.1:… serves this machine alone: plain -p 8000:8000 opens the port to the network, past
# many firewalls. -e FAUNACHECK_TOKEN hands over the bearer token that the shell holds.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY constraints.txt requirements-run.txt requirements-service.txt ./
RUN pip install --no-cache-dir -r requirements-run.txt -r requirements-service.txt -c constraints.txt
COPY pipeline.py service.py ./
COPY classifier classifier
COPY common common
COPY engine engine
COPY matching matching
COPY ner ner
COPY web web
COPY models/classifier/config.json models/classifier/model.onnx models/classifier/
COPY models/ner/config.json models/ner/tokenizer.json models/ner/model.onnx models/ner/

USER 65534:65534
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "service.py", "--host", "0.0.0.0"]
