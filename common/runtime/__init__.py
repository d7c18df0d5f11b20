"""onnxruntime sessions, export and quantization."""
