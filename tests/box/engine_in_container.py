"""The simulated engine in a container: what `vllm` is, where there is no GPU."""

import asyncio

from chaos.lab.engine_flags import EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine

PORT = 8000


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, until it ends."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve it at an address that other containers reach."""
    async with SimulatedEngine(EngineFlags(served_model_names=("local",))) as engine:
        port = int(engine.url.rpartition(":")[2])

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pump(reader, back), pump(there, writer))

        server = await asyncio.start_server(connected, "0.0.0.0", PORT)
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
