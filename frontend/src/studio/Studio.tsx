/** The studio: one video, its picture, objects, rounds and timeline. */
export default function Studio({ video }: { video: number }) {
  return <main>{video}</main>;
}
